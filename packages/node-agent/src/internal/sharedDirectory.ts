import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Paths from "../supervisor/SupervisorPaths.js"

/** The mount by which the shim in a zone and the supervisor meet. */
export const sharedDirectory = (special: string): ZoneRuntime.ZoneFileSystem => ({
  dir: Paths.zoneMountPoint,
  special,
  type: "lofs",
  options: ["nodevices"]
})
