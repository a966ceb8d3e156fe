import { Alert, Button, Card, Center, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import { ApiProblem, messageOf } from '../api/problem.ts'
import { login } from '../api/session.ts'
import { usePageTitle } from '../app/page.tsx'
import { signInProblem } from './problems.ts'
import { ProviderButtons } from './provider-buttons.tsx'

/** Sign-in; afterwards goes where the person wanted to go. */
export function LoginPage() {
  usePageTitle('Sign in')
  const { next, problem } = useSearch({ from: '/login' })
  const client = useQueryClient()
  const navigate = useNavigate()
  const [error, setError] = useState<string | null>(signInProblem(problem) ?? null)
  const [busy, setBusy] = useState(false)

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string): string => {
      const value = form.get(name)
      return typeof value === 'string' ? value : ''
    }
    setBusy(true)
    setError(null)
    try {
      await login(client, text('username'), text('password'))
      await navigate({ href: next ?? '/flows', replace: true })
    } catch (failure) {
      setError(loginMessage(failure))
      setBusy(false)
    }
  }
  return (
    <Center mih="92vh" p="md" component="main">
      <Card withBorder w={380} maw="100%" p="xl" shadow="sm">
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Stack gap={8} align="center" mb="xs">
              <img src="/favicon.svg" alt="" width={44} height={44} />
              <Title order={1}>Sign in to koco</Title>
            </Stack>
            {error !== null && (
              <Alert color="red" role="alert" py="xs">
                {error}
              </Alert>
            )}
            <TextInput label="Name or email" name="username" autoComplete="username" required autoFocus size="md" autoCapitalize="none" spellCheck={false} />
            <PasswordInput label="Password" name="password" autoComplete="current-password" required size="md" />
            <Button type="submit" loading={busy} size="md" mt="xs">
              Sign in
            </Button>
            <ProviderButtons next={next} />
          </Stack>
        </form>
      </Card>
    </Center>
  )
}

function loginMessage(error: unknown): string {
  if (error instanceof ApiProblem && error.status === 429) {
    return `Too many tries. ${error.retryAfterS === null ? 'Wait a little' : `Wait ${error.retryAfterS} s`}, then sign in again.`
  }
  return messageOf(error)
}
