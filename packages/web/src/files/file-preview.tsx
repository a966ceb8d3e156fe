import type { RunFile } from '@koco/core/api'
import { Card, Image, ScrollArea, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { fileStart } from '../api/files.ts'
import { Failure, Loading } from '../app/states.tsx'
import { bytes } from '../show/format.ts'
import { TextBlock } from '../show/json.tsx'
import { Markdown } from '../show/markdown.tsx'
import { parseTable } from './csv.ts'
import { previewKind } from './preview-kind.ts'

const TEXT_BYTES = 512 * 1024
const IMAGE_BYTES = 20 * 1024 * 1024
const ROWS_SHOWN = 500

/** The beginning of a file, as what it is: Markdown, a table, a picture, text. Nothing in it can act: Markdown is sanitised, a picture is only drawn, everything else is text. `url`: where it is downloaded. */
export function FilePreview({ url, file }: { readonly url: string; readonly file: RunFile }) {
  const kind = previewKind(file)
  const { data, error, isPending } = useQuery({
    queryKey: ['file-start', url, file.modified_at],
    queryFn: ({ signal }) => fileStart(url, file, kind === 'image' ? IMAGE_BYTES : TEXT_BYTES, signal),
    enabled: kind !== null && (kind !== 'image' || file.size <= IMAGE_BYTES),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
  })
  return (
    <Card withBorder padding="md" component="section" aria-label={`Preview of ${file.path}`}>
      {kind === null || (kind === 'image' && file.size > IMAGE_BYTES) ? (
        <Text c="dimmed">No preview of {file.type}. Download it to look at it.</Text>
      ) : error ? (
        <Failure error={error} />
      ) : isPending ? (
        <Loading what="preview" />
      ) : kind === 'image' ? (
        <Picture content={data.content} type={file.type} name={file.path} />
      ) : (
        <Textual content={data.content} kind={kind} whole={data.whole} size={file.size} />
      )}
    </Card>
  )
}

function Picture({ content, type, name }: { readonly content: Blob; readonly type: string; readonly name: string }) {
  const url = useMemo(() => URL.createObjectURL(new Blob([content], { type })), [content, type])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  return <Image src={url} alt={name} fit="contain" w="auto" maw="100%" mah={560} />
}

type TextualProps = { readonly content: Blob; readonly kind: 'markdown' | 'table' | 'text'; readonly whole: boolean; readonly size: number }

function Textual({ content, kind, whole, size }: TextualProps) {
  const [text, setText] = useState<string | null>(null)
  useEffect(() => {
    let wanted = true
    void content.text().then((read) => wanted && setText(read))
    return () => {
      wanted = false
    }
  }, [content])
  if (text === null) return <Loading what="preview" />
  return (
    <>
      {kind === 'markdown' ? <Markdown text={text} /> : kind === 'table' ? <CsvTable text={text} whole={whole} /> : <TextBlock text={text} what="file" />}
      {!whole && (
        <Text size="xs" c="dimmed" mt="sm">
          The first {bytes(TEXT_BYTES)} of {bytes(size)}.
        </Text>
      )}
    </>
  )
}

function CsvTable({ text, whole }: { readonly text: string; readonly whole: boolean }) {
  const rows = useMemo(() => {
    const parsed = parseTable(text, ROWS_SHOWN + 2)
    // The last row of a part may be cut off.
    return whole || parsed.length > ROWS_SHOWN + 1 ? parsed : parsed.slice(0, -1)
  }, [text, whole])
  const [head = [], ...body] = rows
  return (
    <ScrollArea.Autosize mah={480}>
      <Table striped withColumnBorders fz="sm" stickyHeader>
        <Table.Thead>
          <Table.Tr>
            {head.map((cell, column) => (
              <Table.Th key={column}>{cell}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {body.slice(0, ROWS_SHOWN).map((row, line) => (
            <Table.Tr key={line}>
              {row.map((cell, column) => (
                <Table.Td key={column}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {body.length > ROWS_SHOWN && (
        <Text size="xs" c="dimmed" mt="sm">
          The first {ROWS_SHOWN} rows.
        </Text>
      )}
    </ScrollArea.Autosize>
  )
}
