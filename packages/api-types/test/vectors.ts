/** The published JSON and protobuf forms of each kind, from a checkout of the Kubernetes Go sources. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const sources = process.env["REDDWARF_K8S_SOURCES"]
const folder = sources === undefined ? undefined : join(sources, "k8s.io/api/testdata/HEAD")
const extensions = join(sources ?? "", "k8s.io/apiextensions-apiserver/pkg/apis/testdata/HEAD")

/** Why the vectors are missing; undefined when they are there. */
export const missing =
  folder === undefined
    ? "set REDDWARF_K8S_SOURCES to the folder that holds k8s.io/api"
    : existsSync(folder)
      ? undefined
      : `REDDWARF_K8S_SOURCES holds no k8s.io/api/testdata/HEAD`

const pathOf = (name: string): string => join(name.startsWith("apiextensions.k8s.io.") ? extensions : (folder ?? ""), name)

/** Whether there is a vector of this kind: those of aggregated APIs are published elsewhere. */
export const exists = (name: string): boolean => missing !== undefined || existsSync(`${pathOf(name)}.json`)

/** The JSON value and the protobuf bytes of one kind. */
export const vector = (name: string): { readonly json: unknown; readonly protobuf: Uint8Array } => {
  const path = pathOf(name)
  const json: unknown = JSON.parse(readFileSync(`${path}.json`, "utf8"))
  return { json, protobuf: Uint8Array.from(readFileSync(`${path}.pb`)) }
}
