export { AUTHOR_WORDS, formFaults, LOCAL_TIME, readSchema, type FormFault } from './check-form.ts'
