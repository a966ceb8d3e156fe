export { eventSchema, eventSchemas } from './event.ts'
export { errorValueSchema, jsonSchema, positionSchema, statusSchema, timeSchema, tokenCountsSchema, typedValueSchema } from './values.ts'
