import { z } from 'zod'
import { about, address, seconds, text } from '../kinds.ts'

/** Where flows run. */
export const executionSettings = {
  executionMode: z
    .enum(['direct', 'temporal'])
    .default('direct')
    .meta(about({ variable: 'EXECUTION_MODE', help: 'Where flows run: direct (in this process) or temporal' })),
  temporalHost: text.default('localhost:7233').meta(about({ variable: 'TEMPORAL_HOST', help: 'Address of the Temporal server' })),
  temporalTlsCa: text
    .optional()
    .meta(about({ variable: 'TEMPORAL_TLS_CA', none: 'no TLS', help: 'PEM file of the authority that signed the certificate of Temporal; turns TLS on' })),
  temporalTlsCert: text
    .optional()
    .meta(about({ variable: 'TEMPORAL_TLS_CERT', none: 'none', help: 'PEM file of our certificate, where Temporal asks for one (mTLS)' })),
  temporalTlsKey: text.optional().meta(about({ variable: 'TEMPORAL_TLS_KEY', none: 'none', help: 'PEM file of its key' })),
  temporalNamespace: text.default('default').meta(about({ variable: 'TEMPORAL_NAMESPACE', help: 'Its namespace' })),
  temporalTaskQueue: text.default('kodosumi-agents').meta(about({ variable: 'TEMPORAL_TASK_QUEUE', help: 'Its task queue' })),
  temporalWorkflowIdPrefix: z
    .string()
    .default('kodo-')
    .meta(about({ variable: 'TEMPORAL_WORKFLOW_ID_PREFIX', help: 'What workflow ids start with' })),
  temporalUi: address
    .optional()
    .meta(
      about({ variable: 'TEMPORAL_UI', none: 'none', help: "Address of Temporal's own page, http://localhost:8233 say: runs link to their workflow there" }),
    ),
  temporalExecutionTimeout: seconds(1, 10 * 365 * 86_400)
    .optional()
    .meta(about({ variable: 'TEMPORAL_EXECUTION_TIMEOUT', none: 'none', help: 'Longest life of a workflow, in seconds' })),
  lockExpires: seconds(1, 10 * 365 * 86_400)
    .default(10_800)
    .meta(about({ variable: 'LOCK_EXPIRES', help: 'How long a question to people stays open, in seconds, unless the flow says' })),
}
