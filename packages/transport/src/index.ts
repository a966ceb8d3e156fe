export type { AppendAnswer, ConsumerStatus, EventStreams, RecordBody, Signal, SignalBus, StreamBatch, StreamConsumer, StreamEntry, Transport } from './port.ts'
