import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import { must } from '@koco/core'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createQueryClient } from './app/query-client.ts'
import { createPageRouter } from './app/router.tsx'
import { offerReload } from './app/update.tsx'
import { colorSchemeManager, textColours, theme } from './app/theme.ts'

const client = createQueryClient(() => void router.invalidate())
const router = createPageRouter(client)

offerReload(window)

createRoot(must(document.getElementById('root'), 'the root element')).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={textColours} defaultColorScheme="auto" colorSchemeManager={colorSchemeManager}>
      <Notifications position="bottom-right" limit={4} />
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
