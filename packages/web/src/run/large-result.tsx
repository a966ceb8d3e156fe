import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { contentQuery, type NamedContent } from '../api/contents.ts'
import { Failure, Loading } from '../app/states.tsx'
import { bytes } from '../show/format.ts'
import { JsonBlock } from '../show/json.tsx'

/** Up to here it is fetched without being asked for. */
const AT_ONCE_BYTES = 512 * 1024

/** A result that its event only names: fetched when it is looked at, a very large one when it is asked for. */
export function LargeResult({ content }: { readonly content: NamedContent }) {
  const [asked, setAsked] = useState(content.bytes <= AT_ONCE_BYTES)
  const { data, error, refetch, isSuccess } = useQuery({ ...contentQuery(content), enabled: asked })
  if (!asked) {
    return (
      <Button variant="default" size="compact-sm" onClick={() => setAsked(true)}>
        Load the result, {bytes(content.bytes)}
      </Button>
    )
  }
  if (error) return <Failure error={error} retry={() => void refetch()} />
  return isSuccess ? <JsonBlock value={data} what="result" /> : <Loading what="the result" />
}
