import { S3ServiceException } from '@aws-sdk/client-s3'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'

/** Of the configuration's making; an answer to HEAD has no body, so keys that are not let in show by their status only. */
const REFUSALS = ['NoSuchBucket', 'InvalidBucketName', 'PermanentRedirect', 'AuthorizationHeaderMalformed']

/** True when the server says that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound' || error.$metadata.httpStatusCode === 404)
}

/** True when an object is no longer the one that a condition names. */
export function isChanged(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412
}

/** What an error of the client means for the caller. */
export function s3Error(place: string): (error: unknown) => unknown {
  return (error) => {
    if (error instanceof KocoError || !(error instanceof Error)) return error
    if (error instanceof S3ServiceException && isRefusal(error)) {
      return new RefusedError(
        `The object store at ${place} refuses koco (${error.name}: ${error.message}). Create the bucket, or correct its name and the keys.`,
        {
          code: 's3_refused',
          cause: error,
        },
      )
    }
    return new UnavailableError(`The object store at ${place} cannot be used now (${error.name}: ${error.message}). Check that it runs; koco tries again.`, {
      code: 'blobs_unavailable',
      cause: error,
    })
  }
}

function isRefusal({ name, $metadata: { httpStatusCode = 0 } }: S3ServiceException): boolean {
  return REFUSALS.includes(name) || httpStatusCode === 401 || httpStatusCode === 403
}
