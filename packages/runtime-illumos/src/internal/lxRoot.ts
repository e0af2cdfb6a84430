import type { RootFile } from "../ZoneBrand.js"
import type { ZoneSpec } from "../ZoneSpec.js"
import { nameFiles } from "./brandParts.js"

/** Files by which the brand recognises a Linux distribution; it boots no root that has none of them. */
export const distributionFiles: ReadonlyArray<string> = [
  "/etc/redhat-release",
  "/etc/lsb-release",
  "/etc/debian_version",
  "/etc/alpine-release",
  "/etc/SuSE-release",
  "/etc/void-release"
]

/**
 * An init for images that have none: it stays, takes in orphans, and ends when it is asked to. A shell reaps every child it waits for, so
 * that a zone full of short-lived processes keeps no dead ones. Being started again does no harm.
 */
const init = `#!/bin/sh
# Written by the container runtime: this image brings no init of its own.
trap 'exit 0' TERM INT PWR
trap ':' CHLD
while :; do
  sleep 2147483 &
  wait $!
done
`

/** What an image needs to boot as a Linux zone, where it does not have it. */
export const files = (spec: ZoneSpec): ReadonlyArray<RootFile> => [
  // The least particular of the distributions: its boot script changes the fewest files.
  { path: "/etc/alpine-release", content: "3.20.0\n", mode: 0o644, unless: distributionFiles },
  // lxinit executes exactly this path. Without a shell there is nothing that could run it.
  { path: "/sbin/init", content: init, mode: 0o755, unless: ["/sbin/init"], requires: ["/bin/sh"] },
  ...nameFiles(spec, "/etc/hostname")
]
