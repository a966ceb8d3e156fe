import type { FlowDetail } from '@koco/core/api'
import { Anchor, Badge, Breadcrumbs, Card, Grid, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { flowQuery } from '../api/flows.ts'
import { runQuery } from '../api/runs.ts'
import { Page } from '../app/page.tsx'
import { Failure, Loading } from '../app/states.tsx'
import { withFilesOf } from '../files/earlier-files.ts'
import { Markdown } from '../show/markdown.tsx'
import { ONE_LINE } from '../show/one-line.ts'
import { FlowOrigin, Liveness } from './flow-card.tsx'
import { HowToCall } from './how-to-call.tsx'
import { RecentRuns } from './recent-runs.tsx'
import { ServedBy } from './served-by.tsx'
import { StartRun } from './start-run.tsx'

/** A flow: what it does, the form that starts it, its last runs, and how programs call it. */
export function FlowPage() {
  const { name } = useParams({ from: '/signed-in/flows/$name' })
  const { data: flow, error, refetch } = useQuery(flowQuery(name))
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (!flow) return <Loading what="flow" />
  return (
    <Stack gap="xs">
      <Breadcrumbs fz="sm" styles={ONE_LINE}>
        <Anchor component={Link} to="/flows">
          Flows
        </Anchor>
        <Text size="sm" c="dimmed" truncate>
          {flow.name}
        </Text>
      </Breadcrumbs>
      <Page title={flow.name} about={<FlowAbout flow={flow} />}>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Stack>
              <FormCard flow={flow} />
              {flow.description !== '' && (
                <Card withBorder padding="lg">
                  <Markdown text={flow.description} />
                </Card>
              )}
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Stack>
              <RecentRuns flow={flow.name} />
              <HowToCall flow={flow} />
              <ServedBy flow={flow} />
            </Stack>
          </Grid.Col>
        </Grid>
      </Page>
    </Stack>
  )
}

function FlowAbout({ flow }: { readonly flow: FlowDetail }) {
  return (
    <Stack gap={6}>
      <Text size="md">{flow.summary}</Text>
      <Group gap={8}>
        <Liveness flow={flow} />
        {flow.tags.map((tag) => (
          <Badge key={tag} variant="default" size="sm" radius="sm" tt="none" fw={500}>
            {tag}
          </Badge>
        ))}
        <FlowOrigin flow={flow} />
      </Group>
    </Stack>
  )
}

/** The form; with `?from=<fid>` it begins with the inputs of that run. */
function FormCard({ flow }: { readonly flow: FlowDetail }) {
  const { from } = useSearch({ from: '/signed-in/flows/$name' })
  const earlier = useQuery({ ...runQuery(from ?? ''), enabled: from !== undefined })
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        {from === undefined ? 'Start a run' : 'Run again with these inputs'}
      </Title>
      {earlier.error && <Failure error={earlier.error} title="The inputs of the earlier run could not be read" />}
      {from !== undefined && earlier.isPending ? (
        <Loading what="inputs" />
      ) : (
        <StartRun key={from ?? ''} flow={flow} {...(earlier.data && { given: withFilesOf(earlier.data.fid, flow.inputs, earlier.data.inputs) })} />
      )}
    </Card>
  )
}
