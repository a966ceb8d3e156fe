export { AgentWorkflow } from './agent.ts'
export { ScheduledStart } from './scheduled-start.ts'
