/** Files and folders of a root beside that of a zone, such as that of one container, before anything runs from it. */
import type * as Effect from "effect/Effect"
import type { CommandRunner } from "./CommandRunner.js"
import type { HostError } from "./HostError.js"
import * as zoneRoot from "./internal/zoneRoot.js"
import type { RootFile } from "./RootFile.js"

/** What a root must have. @category models */
export interface Preparation {
  /** The zone it is for, for error messages. */
  readonly zone: string
  /** Absolute path of the root on the host. */
  readonly root: string
  readonly files: ReadonlyArray<RootFile>
  /** Absolute in the root; made with what is missing above them. */
  readonly folders?: ReadonlyArray<string> | undefined
}

/**
 * Brings the files and folders of a root up to date. Symbolic links are followed as a process with this root would follow them, never out of
 * it; one that would have to be written through is refused with `ZoneRootRejected`. Nobody may change the root meanwhile.
 *
 * @category combinators
 */
export const prepare = (
  runner: CommandRunner["Type"],
  { files, folders, root, zone }: Preparation
): Effect.Effect<void, HostError> => zoneRoot.prepare(runner, zone, root, files, folders)
