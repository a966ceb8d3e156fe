import { Anchor, Badge, Button, Card, Group, Menu, Table, Text, TextInput } from '@mantine/core'
import { isFid, isJsonObject, type Json } from '@koco/core'
import type { AuditEntry } from '@koco/core/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { auditFile, auditQuery, type AuditFilter } from '../api/audit.ts'
import { OperatorsOnly } from '../app/operators-only.tsx'
import { Page } from '../app/page.tsx'
import { Empty, Failure, Loading } from '../app/states.tsx'
import { OperationsTabs } from '../operations/operations-tabs.tsx'
import { Ago } from '../show/time.tsx'
import { RowTable } from '../show/wide-table.tsx'

/** Who did what, newest first, with a filter and as a file. */
export function AuditPage() {
  return (
    <OperatorsOnly title="Audit log">
      <AuditView />
    </OperatorsOnly>
  )
}

function AuditView() {
  const filter = useSearch({ from: '/signed-in/operations/audit' })
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(auditQuery(filter))
  const entries = data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title="Audit log" about="Who did what. Entries are written before the answer goes out and never changed." actions={<Export filter={filter} />}>
      <OperationsTabs />
      <Filters filter={filter} />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {isPending && !error && <Loading what="audit log" />}
      {data && entries.length === 0 && <Empty title="Nothing is on record">No entry fits the filter.</Empty>}
      {entries.length > 0 && <Entries entries={entries} />}
      {hasNextPage && (
        <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()} style={{ alignSelf: 'center' }}>
          Older entries
        </Button>
      )}
    </Page>
  )
}

const FIELDS = [
  { name: 'actor', label: 'Who', placeholder: 'name of a user' },
  { name: 'action', label: 'What', placeholder: 'run, or run.cancel' },
  { name: 'target', label: 'On what', placeholder: 'id of a run, user, …' },
] as const

function Filters({ filter }: { readonly filter: AuditFilter }) {
  const navigate = useNavigate({ from: '/operations/audit' })
  return (
    <Group gap="sm" align="flex-end">
      {FIELDS.map(({ name, label, placeholder }) => (
        <TextInput
          key={name}
          label={label}
          placeholder={placeholder}
          size="xs"
          w={{ base: '100%', xs: 190 }}
          value={filter[name] ?? ''}
          onChange={(event) => void navigate({ search: { ...filter, [name]: event.target.value === '' ? undefined : event.target.value }, replace: true })}
        />
      ))}
    </Group>
  )
}

function Export({ filter }: { readonly filter: AuditFilter }) {
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button variant="default">Export</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={auditFile(filter, 'csv')} download>
          Table (CSV)
        </Menu.Item>
        <Menu.Item component="a" href={auditFile(filter, 'jsonl')} download>
          JSON lines
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function Entries({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <Card withBorder padding="xs">
      <RowTable label="Audit log" minWidth={820} heads={['When', 'Who', 'What', 'On what', 'Outcome', 'Details', 'From']}>
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </RowTable>
    </Card>
  )
}

function Entry({ entry }: { readonly entry: AuditEntry }) {
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        <Ago at={entry.at} fz="inherit" />
      </Table.Td>
      <Table.Td>
        <span>
          <Text inherit fw={550} span>
            {entry.actor || 'nobody'}
          </Text>
          {entry.via === 'key' && (
            <Text inherit c="dimmed" span>
              {' '}
              by key
            </Text>
          )}
        </span>
      </Table.Td>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>{entry.action}</Table.Td>
      <Table.Td>
        <Target target={entry.target} />
      </Table.Td>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>
        <Badge color={entry.status < 400 ? 'teal' : 'orange'} variant="dot" tt="none">
          {entry.status < 400 ? 'done' : `refused, ${entry.status}`}
        </Badge>
      </Table.Td>
      <Table.Td maw={320} style={{ overflowWrap: 'anywhere' }}>
        {detailText(entry.detail) !== '' && (
          <Text size="xs" c="dimmed" lineClamp={2}>
            {detailText(entry.detail)}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="xs" c="dimmed">
          {entry.address}
        </Text>
      </Table.Td>
    </Table.Tr>
  )
}

function Target({ target }: { readonly target: string }) {
  const [first = '', ...rest] = target.split('/')
  if (!isFid(first)) return target
  return (
    <span>
      <Anchor component={Link} to="/runs/$fid" params={{ fid: first } as never} inherit>
        {first.slice(-8)}
      </Anchor>
      {rest.length > 0 && ` ${rest.join('/')}`}
    </span>
  )
}

function detailText(detail: Json): string {
  if (!isJsonObject(detail)) return detail === null ? '' : JSON.stringify(detail)
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}
