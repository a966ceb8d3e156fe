import type { WidgetProps } from '@rjsf/utils'
import { Skeleton } from '@mantine/core'
import { lazy, Suspense, type ComponentType } from 'react'

/** A widget whose code is fetched when a form has such a field. */
export function lazyWidget(load: () => Promise<{ default: unknown }>): ComponentType<WidgetProps> {
  const Widget = lazy(async () => ({ default: (await load()).default as ComponentType<WidgetProps> }))
  return function LazyWidget(props: WidgetProps) {
    return (
      <Suspense fallback={<Skeleton h={58} />}>
        <Widget {...props} />
      </Suspense>
    )
  }
}
