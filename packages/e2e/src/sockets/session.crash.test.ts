// Goal: a person's whole session works from end to end on one process: sign in, session, upload, list, workspace, chat, end; and nothing of it stays behind.
// Method: a real `koco start`, a stand-in that speaks GitHub's endpoints, a local model server; the counts are read from the metrics.
import { startGitHub } from '@koco/testing'
import { OpenAiServer } from 'koco/testing'
import { expect, test, vi } from 'vitest'
import { embedded } from '../processes/stacks.ts'
import { accessToken, gitHubSettings, metric, signInWithGitHub } from './people.ts'
import { SocketClient } from './socket-client.ts'

test('sign in, make a session, upload, list, look at the workspace, talk, end; twice on one account', async () => {
  const github = await startGitHub()
  const model = new OpenAiServer(() => [])
  const llm = { KODO_LLM_URL: `http://${await model.listen()}/v1`, KODO_LLM_MODEL: 'tiny' }
  await using stack = await embedded({ ...gitHubSettings(github), ...llm })
  try {
    for (const round of [1, 2]) {
      const token = await accessToken(stack.address, await signInWithGitHub(stack.address, github, 7))
      const socket = await SocketClient.open(stack.address, token)
      expect((await socket.next('auth_success')).data).toMatchObject({ user: 'person-7', role: 'user' })
      const { session_id: id } = (await socket.ask('create_session', { title: `Round ${round}` })).data
      const source = 'def main():\n    print("hello")\n'
      expect((await socket.ask('file_upload', { path: 'src/main.py', encoding: 'utf8' }, source)).data).toMatchObject({ size: source.length })
      expect((await socket.ask('file_list')).data['files']).toMatchObject([{ path: 'src/main.py' }])
      expect((await socket.ask('workspace_info')).data).toMatchObject({ files: 1, bytes: source.length })
      model.script({ say: ['It says ', 'hello.'] })
      expect((await socket.ask('chat_message', {}, 'What does it do?')).data).toMatchObject({ status: 'accepted' })
      expect((await socket.end()).content).toBe('It says hello.')
      expect((await socket.ask('session_control', { action: 'end' })).data).toMatchObject({ session_id: id, status: 'ended', message_count: 2 })
      expect(await metric(stack.address, 'koco_sockets')).toBe(1)
      await socket.close()
      await vi.waitFor(async () => expect(await metric(stack.address, 'koco_sockets')).toBe(0), { timeout: 60_000, interval: 100 })
    }
  } finally {
    await model.close()
    await github.stop()
  }
})
