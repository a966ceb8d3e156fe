import { Button, CloseButton, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { eventsPage } from '../api/runs.ts'
import { useSlashFocus } from '../app/hot-keys.ts'
import { Icon } from '../app/icons.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { count } from '../show/format.ts'
import { EventRow } from './event-row.tsx'
import classes from './timeline.module.css'

const PAGE_FOUND = 100
// The server looks through 20,000 events a page; so many pages are read by themselves before a person is asked whether to look further.
const PAGES_AT_ONCE = 25

/** The field that looks for words inside a run; the server looks, so every event is searched, also those that the page does not hold. */
export function EventSearchField({ value, onChange }: { readonly value: string; readonly onChange: (q: string) => void }) {
  const [text, setText] = useState(value)
  const field = useRef<HTMLInputElement>(null)
  useSlashFocus(field)
  const send = useDebouncedCallback((q: string) => onChange(q.trim()), 300)
  const change = (next: string) => {
    setText(next)
    send(next)
  }
  return (
    <TextInput
      ref={field}
      size="xs"
      mb={value === '' ? 0 : 'xs'}
      value={text}
      // The field moves when the first words are sent; whoever types goes on typing.
      autoFocus={value !== ''}
      onChange={(event) => change(event.target.value)}
      placeholder="Search in this run"
      aria-label="Search in this run"
      leftSection={<Icon name="search" size={14} />}
      rightSection={text !== '' && <CloseButton size="xs" aria-label="Clear the search" onClick={() => change('')} />}
      w={{ base: '100%', xs: 240 }}
    />
  )
}

type SearchProps = {
  readonly fid: string
  /** When the run began, in unix seconds. */
  readonly since: number
  readonly q: string
  /** Kinds to look in, with commas; null for all. */
  readonly kinds: string | null
  readonly show: (position: string) => void
}

/** The events that hold the words, page by page; each leads to its place in the timeline. */
export function EventSearch({ fid, since, q, kinds, show }: SearchProps) {
  const query = useInfiniteQuery({
    queryKey: ['events', fid, q, kinds],
    queryFn: ({ pageParam, signal }) =>
      eventsPage(fid, { q, limit: PAGE_FOUND, ...(kinds !== null && { kind: kinds }), ...(pageParam !== null && { after: pageParam }) }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: 10_000,
  })
  const [open, setOpen] = useState<string | null>(null)
  const found = query.data?.pages.flatMap((page) => page.items) ?? []
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const pages = query.data?.pages.length ?? 0
  // A page may be empty and yet not the last.
  const looking = hasNextPage && found.length < PAGE_FOUND && pages < PAGES_AT_ONCE
  useEffect(() => {
    if (looking && !isFetchingNextPage) void fetchNextPage()
  }, [looking, isFetchingNextPage, fetchNextPage])
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />
  if (query.isPending) return <Loading what="events" />
  if (found.length === 0 && looking) return <Loading what="events" />
  const unsearched = (query.data?.pages ?? []).reduce((sum, page) => sum + (page.unsearched ?? 0), 0)
  if (found.length === 0 && !hasNextPage) {
    return <Empty title={`Nothing in this run says “${q}”`}>{unsearched > 0 ? unsearchedText(unsearched) : undefined}</Empty>
  }
  return (
    <>
      <Text size="xs" c="dimmed" mb={6} role="status">
        {count(found.length)}
        {hasNextPage && (looking ? ' so far' : ' or more')} {found.length === 1 ? 'event' : 'events'} found.{unsearched > 0 && ` ${unsearchedText(unsearched)}`}
      </Text>
      <div className={classes['frame']}>
        {found.map((event) => (
          <EventRow
            key={event.position}
            event={event}
            since={since}
            open={open === event.position}
            marked={false}
            newTry={false}
            toggle={(position) => setOpen(open === position ? null : position)}
            show={show}
          />
        ))}
      </div>
      {hasNextPage && !looking && (
        <Button mt="sm" variant="default" size="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Look further
        </Button>
      )}
    </>
  )
}

function unsearchedText(unsearched: number): string {
  return unsearched === 1 ? 'One large result is too large to be looked into.' : `${count(unsearched)} large results are too large to be looked into.`
}
