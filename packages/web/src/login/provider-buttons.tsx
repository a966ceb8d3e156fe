import { Button, Divider, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { providersQuery } from '../api/session.ts'

/** Other ways to sign in, when the panel has some; each leads to the provider and back to `next`. */
export function ProviderButtons({ next }: { readonly next: string | undefined }) {
  const { data } = useQuery(providersQuery)
  if (!data || data.providers.length === 0) return null
  return (
    <Stack gap="sm">
      <Divider label="or" />
      {data.providers.map(({ id, name, start }) => (
        <Button key={id} component="a" href={`${start}?next=${encodeURIComponent(next ?? '/flows')}`} variant="default" size="md">
          Sign in with {name}
        </Button>
      ))}
    </Stack>
  )
}
