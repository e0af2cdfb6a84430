/** `/version`: which Kubernetes API this server speaks, and which build it is. */
import * as Response from "./ApiResponse.js"

/** Minor version of Kubernetes that the API follows. @category models */
export const minor = 36

/** The version object; `build` is the version of this software, such as `0.1.0`. @category constructors */
export const make = (build: string): object => ({
  major: "1",
  minor: String(minor),
  emulationMajor: "1",
  emulationMinor: String(minor),
  minCompatibilityMajor: "1",
  minCompatibilityMinor: String(minor - 1),
  gitVersion: `v1.${minor}.0+reddwarf-${build.replaceAll(/[^0-9A-Za-z.-]/g, "-")}`,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: `node${process.versions.node}`,
  compiler: "v8",
  platform: `${process.platform === "sunos" ? "illumos" : process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`
})

const encoder = new TextEncoder()

/** The answer to `/version`, indented as Kubernetes writes it. @category constructors */
export const respond = (build: string): Response.ApiResponse =>
  Response.jsonBytes(200, encoder.encode(`${JSON.stringify(make(build), null, 2)}\n`))
