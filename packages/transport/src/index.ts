export { createMemoryTransport, type MemoryTransportOptions } from './memory/transport.ts'
export type { MemoryCapacity } from './memory/hub.ts'
export type {
  AppendAnswer,
  ConsumerStatus,
  EventStreams,
  Handover,
  Lease,
  LeaseCounter,
  LivenessBoard,
  LivingWorker,
  LostWorker,
  Producer,
  RecordBody,
  Signal,
  SignalBus,
  StreamBatch,
  StreamConsumer,
  StreamEntry,
  Transport,
} from './port.ts'
export { createProducer, type ProducerOptions } from './producer/producer.ts'
