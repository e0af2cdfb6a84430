/** Failures that are part of the course: the next pass sees what came of them, and nobody has to be warned. */
import { ClientError } from "@reddwarf/client"

/** Somebody else wrote meanwhile, or what the pass was about is gone or going. */
export const isRoutine = (error: ClientError.ClientError): boolean =>
  ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error)

/** Besides, somebody else made it first: for controllers that choose the names of what they make. */
export const isRoutineOfNames = (error: ClientError.ClientError): boolean => isRoutine(error) || ClientError.isAlreadyExists(error)
