import { Accordion, Anchor, Card, SegmentedControl, Text, Title } from '@mantine/core'
import { isJsonObject, type Json } from '@koco/core'
import type { FlowDetail } from '@koco/core/api'
import { useState } from 'react'
import { JsonBlock, TextBlock } from '../show/json.tsx'
import { cliCall, curlCall, typescriptCall } from './calls.ts'
import { exampleInputs } from './example-inputs.ts'

const NOTES: Readonly<Record<string, string>> = {
  cli: 'Follows the run and prints its result.',
  curl: 'Keys are made in the settings or by `koco keys create`; the header makes a repeated call harmless.',
  typescript: 'Goes on where it was after a cut connection, and works in browsers too.',
}

/** How a program starts this flow: the same request that the form sends. */
export function HowToCall({ flow }: { readonly flow: FlowDetail }) {
  const [way, setWay] = useState('cli')
  const inputs = exampleInputs(flow.inputs)
  const text = callText(way, flow.name, inputs)
  return (
    <Card withBorder padding="lg">
      <Title order={2} mb="sm">
        How to call it
      </Title>
      <SegmentedControl
        size="xs"
        mb="sm"
        value={way}
        onChange={setWay}
        aria-label="Kind of call"
        data={[
          { value: 'cli', label: 'Command line' },
          { value: 'curl', label: 'curl' },
          { value: 'typescript', label: 'TypeScript' },
        ]}
      />
      <TextBlock text={text} what="call" />
      <Text size="xs" c="dimmed" mt="xs">
        {NOTES[way]} The whole API is at{' '}
        <Anchor href="/docs" inherit underline="always">
          /docs
        </Anchor>
        .
      </Text>
      <Accordion variant="filled" mt="sm" chevronPosition="left">
        <Accordion.Item value="schema">
          <Accordion.Control>Input schema</Accordion.Control>
          <Accordion.Panel>{isJsonObject(flow.inputs) && <JsonBlock value={flow.inputs} what="schema" />}</Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Card>
  )
}

function callText(way: string, flow: string, inputs: Json): string {
  if (way === 'cli') return cliCall(flow, inputs)
  return way === 'curl' ? curlCall(location.origin, flow, inputs) : typescriptCall(location.origin, flow, inputs)
}
