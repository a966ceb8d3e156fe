import type { Lock } from '@koco/core/api'
import { Badge, Button, Stack, Tabs } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { answeredLocksQuery, openLocksQuery } from '../api/locks.ts'
import { Page } from '../app/page.tsx'
import { useShownTab } from '../app/shown-tab.ts'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { AnsweredCard } from './answered-card.tsx'
import { LockCard } from './lock-card.tsx'
import { NoticeButton } from './notices.tsx'
import { keyOf, questionsOf, TABS, type InboxTab } from './questions.ts'

const LABELS: Readonly<Record<InboxTab, string>> = { 'for-me': 'For me', 'to-answer': 'To answer', watching: 'Watching', answered: 'Answered' }

/** The questions of runs: those put to me, all that I may answer, those that others must, and those that are answered. */
export function InboxPage() {
  const search = useSearch({ from: '/signed-in/approvals' })
  // What a URL says that is no part of the inbox comes through as it is.
  const tab = TABS.find((name) => name === search.tab) ?? 'for-me'
  const list = useShownTab(tab)
  const navigate = useNavigate({ from: '/approvals' })
  const { data: open, error, isPending, refetch } = useQuery({ ...openLocksQuery, refetchInterval: 4000 })
  const countOf = (name: InboxTab): number => (name === 'answered' || !open ? 0 : questionsOf(name, open).length)
  return (
    <Page title="Approvals" about="Questions of runs to people; the most urgent first." actions={<NoticeButton />}>
      <Tabs value={tab} onChange={(next) => void navigate({ search: next === 'for-me' ? {} : { tab: next as InboxTab }, replace: true })} keepMounted={false}>
        <Tabs.List ref={list} mb="md" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name} rightSection={countOf(name) > 0 && <Count of={countOf(name)} urgent={name === 'for-me'} />}>
              {LABELS[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map((name) => (
          <Tabs.Panel key={name} value={name}>
            {name === 'answered' ? (
              <Answered />
            ) : (
              <>
                {error && <Failure error={error} retry={() => void refetch()} />}
                {isPending && !error && <Loading what="questions" />}
                {open && <Questions tab={name} locks={questionsOf(name, open)} />}
              </>
            )}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}

function Count({ of, urgent }: { readonly of: number; readonly urgent: boolean }) {
  return (
    <Badge size="sm" circle={of < 10} variant={urgent ? 'filled' : 'default'} color={urgent ? 'orange' : 'gray'}>
      {of}
    </Badge>
  )
}

function Questions({ tab, locks }: { readonly tab: Exclude<InboxTab, 'answered'>; readonly locks: readonly Lock[] }) {
  if (locks.length === 0) return <Nothing tab={tab} />
  return (
    <Stack>
      {locks.map((lock) => (
        <LockCard key={keyOf(lock)} lock={lock} withRun />
      ))}
    </Stack>
  )
}

function Nothing({ tab }: { readonly tab: Exclude<InboxTab, 'answered'> }) {
  if (tab === 'watching') return <Empty title="Nothing to watch">Open questions that others must answer appear here.</Empty>
  return (
    <Empty title={tab === 'for-me' ? 'Nothing waits for you' : 'Nothing to answer'}>
      A flow asks by <code>ctx.lock(…)</code>; its questions appear here, on the page of the run, and in <code>koco locks list</code>.
    </Empty>
  )
}

function Answered() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(answeredLocksQuery)
  const locks = data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Stack>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="answers" />}
      {data && locks.length === 0 && <Empty title="Nothing was answered yet">Who answered what, when and why stays here and in the timeline of the run.</Empty>}
      {locks.map((lock) => (
        <AnsweredCard key={keyOf(lock)} lock={lock} />
      ))}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} style={{ alignSelf: 'center' }}>
          More
        </Button>
      )}
    </Stack>
  )
}
