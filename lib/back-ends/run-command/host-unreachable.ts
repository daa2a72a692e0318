import { BackendUnavailable } from '../../domain/errors.ts'

/** Run Command did not reach the host: its agent is not connected, or did not take the script in time. */
export class HostUnreachable extends BackendUnavailable {}
