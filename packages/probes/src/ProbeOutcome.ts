/** How one attempt of a probe ended. */
import * as Data from "effect/Data"

/**
 * `Success` with a warning counts as success and is told to users. `Unknown` says nothing about the container, for example because its
 * zone could not be asked: it is told, and thrown away.
 *
 * @category models
 */
export type ProbeOutcome = Data.TaggedEnum<{
  readonly Success: { readonly warning?: string | undefined }
  readonly Failure: { readonly message: string }
  readonly Unknown: { readonly message: string }
}>

/** @category constructors */
export const ProbeOutcome = Data.taggedEnum<ProbeOutcome>()

/** Nothing to tell. @category constructors */
export const success: ProbeOutcome = ProbeOutcome.Success({})

/** @category constructors */
export const failure = (message: string): ProbeOutcome => ProbeOutcome.Failure({ message })

/** @category constructors */
export const unknown = (message: string): ProbeOutcome => ProbeOutcome.Unknown({ message })
