import { z } from 'zod'
import { about, database, folder, seconds, text, url, whole } from '../kinds.ts'

/** Where runs, files, checkpoints and people are kept. */
export const dataSettings = {
  execDir: folder.default('./data/execution').meta(about({ variable: 'EXEC_DIR', help: 'Folder of the runs and their events, with SQLite' })),
  uploadDir: folder.default('./data/uploads').meta(about({ variable: 'UPLOAD_DIR', help: 'Folder of uploaded files and of the files of runs' })),
  uploadFileMax: whole(1, Number.MAX_SAFE_INTEGER)
    .default(2 ** 30)
    .meta(about({ variable: 'UPLOAD_FILE_MAX', help: 'Largest file that people upload or runs write, in bytes' })),
  uploadRunMax: whole(1, Number.MAX_SAFE_INTEGER)
    .default(4 * 2 ** 30)
    .meta(about({ variable: 'UPLOAD_RUN_MAX', help: 'All files that one run is given, or makes, together, in bytes' })),
  uploadExpires: seconds(60, 365 * 86_400)
    .default(86_400)
    .meta(about({ variable: 'UPLOAD_EXPIRES', help: 'When an upload is taken away that nothing was added to, in seconds' })),
  files: z
    .enum(['folder', 'panel'])
    .default('folder')
    .meta(about({ variable: 'FILES', help: 'Where a worker finds the files of runs: folder (UPLOAD_DIR), or panel (over APP_SERVER with API_KEY)' })),
  prices: folder.optional().meta(
    about({
      variable: 'PRICES',
      none: 'list prices',
      help: 'JSON file of what models cost, in the place of the list prices of the models in it: see Conversations',
    }),
  ),
  workspaceDir: folder.default('./data/workspaces').meta(about({ variable: 'WORKSPACE_DIR', help: 'Folder of the workspaces of sessions' })),
  checkpointDir: folder.default('./data/checkpoints').meta(about({ variable: 'CHECKPOINT_DIR', help: 'Folder of the checkpoints of sessions' })),
  checkpointMax: whole(1, 1_000_000)
    .default(100)
    .meta(about({ variable: 'CHECKPOINT_MAX', help: 'Checkpoints that a session keeps; the oldest go that nobody needs' })),
  checkpointCompression: whole(0, 9)
    .default(6)
    .meta(about({ variable: 'CHECKPOINT_COMPRESSION', help: 'How hard their content is compressed: 0 (not at all) to 9' })),
  checkpointInterval: seconds(1, 86_400)
    .default(300)
    .meta(about({ variable: 'CHECKPOINT_INTERVAL', help: 'From one automatic checkpoint of a session to the next, in seconds' })),
  checkpointOnError: z
    .enum(['on', 'off'])
    .default('on')
    .meta(about({ variable: 'CHECKPOINT_ON_ERROR', help: 'on, or off: whether a turn that fails makes a checkpoint' })),
  blobStore: url('s3', 'file')
    .refine(
      (value) => URL.canParse(value) && (value.startsWith('file:///') || (value.startsWith('s3:') && new URL(value).host !== '')),
      'must be s3://bucket, s3://bucket/prefix or file:///folder',
    )
    .optional()
    .meta(
      about({
        variable: 'BLOB_STORE',
        none: 'a folder in CHECKPOINT_DIR',
        help: 'Where the content of checkpoints, large results of steps and large files of runs is kept, for several hosts: s3://bucket/prefix, or file:///folder that all of them see',
      }),
    ),
  s3Endpoint: url('http', 'https')
    .optional()
    .meta(about({ variable: 'S3_ENDPOINT', none: "Amazon's", help: 'Address of the S3 server' })),
  s3Region: text.default('us-east-1').meta(about({ variable: 'S3_REGION', help: 'Its region' })),
  s3AccessKeyId: text
    .optional()
    .meta(about({ variable: 'S3_ACCESS_KEY_ID', secret: true, none: 'as the AWS tools find it', help: 'Id of the key for the S3 server' })),
  s3SecretAccessKey: text.optional().meta(about({ variable: 'S3_SECRET_ACCESS_KEY', secret: true, none: 'as the AWS tools find it', help: 'The key itself' })),
  adminDatabase: database
    .default('sqlite:///./data/admin.db')
    .meta(about({ variable: 'ADMIN_DATABASE', secret: true, help: 'Database of users, sessions and keys: sqlite:///… or postgresql://…' })),
  executionDatabase: database
    .optional()
    .meta(about({ variable: 'EXECUTION_DATABASE', secret: true, none: 'SQLite in EXEC_DIR', help: 'Database of runs and events: postgresql://…' })),
}
