export { AgentWorkflow } from './agent.ts'
