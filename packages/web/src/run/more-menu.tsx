import { Button, Menu } from '@mantine/core'
import type { WholeRun } from '../api/shapes.ts'
import { copyText } from '../show/copy-text.ts'
import { copiesOf } from './copy-run.ts'
import { useArchive } from './use-control.ts'

/** What is needed less often of a run: copies, exports, the archive (`over`: the run may be archived by this person). */
export function MoreMenu({ run, over }: { readonly run: WholeRun; readonly over: boolean }) {
  const archive = useArchive(run.fid)
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <Button variant="default" size="xs" px={10} aria-label="More actions">
          ⋯
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {copiesOf(run).map(([label, text]) => (
          <Menu.Item key={label} onClick={() => copyText(text)}>
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href={`/api/runs/${run.fid}/export`} download>
          Export as JSON lines
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.fid}/export?redact=1`} download>
          Export without secrets
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.fid}/report`} target="_blank" rel="noopener">
          Page for printing
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.fid}/report?redact=1`} target="_blank" rel="noopener">
          The same without secrets
        </Menu.Item>
        {over && <Menu.Divider />}
        {over && <Menu.Item onClick={() => archive.mutate(!run.archived)}>{run.archived ? 'Bring back from the archive' : 'Archive'}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
