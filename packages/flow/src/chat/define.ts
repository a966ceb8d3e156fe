import type { z } from 'zod'
import type { FlowContext } from '../context.ts'
import type { Duration } from '../duration.ts'
import { defineFlow, type Flow } from '../flow.ts'
import { answerWithModel, type AgentOptions } from './agent.ts'
import { answerWithCommand, type CommandOptions } from './command.ts'
import { openTurn, turnInputs, type ChatTurn } from './turn.ts'

/** What is common to chat flows. */
type ChatFlowBasics = {
  /** As of `defineFlow`. Sessions name it as their `flow`. */
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly author?: string
  readonly version?: string
  /** Limit of a turn's working time; time in approvals does not count. Default: 30 minutes. */
  readonly timeout?: Duration
}

/** A chat flow: a model with tools, a command-line agent, or a function of one's own that answers a turn. */
export type ChatFlowDefinition = ChatFlowBasics & (AgentOptions | CommandOptions | { run(turn: ChatTurn, ctx: FlowContext): unknown })

/**
 * Makes the flow that answers in conversations: each turn is a run of it. With `run` the function answers, by `turn.say`, or by what it returns; with `command` a program does, in the session's workspace; else a model, with `instructions` and `tools`, over an
 * OpenAI-compatible endpoint. RefusedError `bad_flow`.
 */
export function defineChatFlow(definition: ChatFlowDefinition): Flow {
  const { name, summary, description, tags = [], author, version, timeout = '30m' } = definition
  const answer = answererOf(definition)
  return defineFlow({
    name,
    summary,
    tags: [...new Set(['chat', ...tags])],
    timeout,
    ...(description !== undefined && { description }),
    ...(author !== undefined && { author }),
    ...(version !== undefined && { version }),
    inputs: turnInputs,
    run: async (inputs: z.infer<typeof turnInputs>, ctx) => answer(await openTurn(ctx, inputs), ctx),
  })
}

function answererOf(definition: ChatFlowDefinition): (turn: ChatTurn, ctx: FlowContext) => unknown {
  if ('run' in definition) return (turn, ctx) => definition.run(turn, ctx)
  if ('command' in definition) return (turn, ctx) => answerWithCommand(definition, turn, ctx)
  return (turn, ctx) => answerWithModel(definition, turn, ctx)
}
