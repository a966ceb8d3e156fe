import { Accordion, Anchor, Card, SegmentedControl, Text, Title } from '@mantine/core'
import { isJsonObject } from '@koco/core'
import { useState } from 'react'
import type { FlowDetail } from '../api/shapes.ts'
import { JsonBlock, TextBlock } from '../show/json.tsx'
import { cliCall, curlCall } from './calls.ts'
import { exampleInputs } from './example-inputs.ts'

/** How a program starts this flow: the same request that the form sends. */
export function HowToCall({ flow }: { readonly flow: FlowDetail }) {
  const [way, setWay] = useState('cli')
  const inputs = exampleInputs(flow.inputs)
  const text = way === 'cli' ? cliCall(flow.name, inputs) : curlCall(location.origin, flow.name, inputs)
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
        ]}
      />
      <TextBlock text={text} what="call" />
      <Text size="xs" c="dimmed" mt="xs">
        {way === 'cli' ? 'Follows the run and prints its result.' : 'The key comes from `koco keys create`; the header makes a repeated call harmless.'} The
        whole API is at{' '}
        <Anchor href="/docs" inherit>
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
