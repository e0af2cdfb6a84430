/** The kinds of a server, from its aggregated discovery documents. */
import { Kind } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { describe, isRecord } from "./decode.js"

/** The newer form of the document is preferred. */
export const accept = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(",")

/** The roots of the two documents: the core group, and all others. */
export const roots = ["/api", "/apis"] as const

const entries = (value: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> => Array.isArray(value) ? value.filter(isRecord) : []

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each: unknown): each is string => typeof each === "string") : []

const verbs = (value: unknown): ReadonlyArray<Kind.Verb> => {
  const offered = new Set(texts(value))
  return Kind.allVerbs.filter((verb) => offered.has(verb))
}

const kindOf = (group: string, version: string, resource: Readonly<Record<string, unknown>>): ReadonlyArray<Kind.Kind> => {
  const response = resource["responseKind"]
  const plural = text(resource["resource"])
  if (!isRecord(response) || plural === "" || text(response["kind"]) === "") return []
  return [Kind.make({
    // A resource may answer with a kind of another group; the path stays that of the resource.
    group,
    version,
    kind: text(response["kind"]),
    plural,
    singular: text(resource["singularResource"]),
    namespaced: resource["scope"] === "Namespaced",
    schema: "",
    verbs: verbs(resource["verbs"]),
    shortNames: texts(resource["shortNames"]),
    categories: texts(resource["categories"]),
    subresources: entries(resource["subresources"]).map((each) => ({
      name: text(each["subresource"]),
      kind: isRecord(each["responseKind"]) ? text(each["responseKind"]["kind"]) : "",
      verbs: verbs(each["verbs"])
    }))
  })]
}

/** The kinds of one document; the left side says what was found instead. */
export const decode = (json: unknown): Either.Either<ReadonlyArray<Kind.Kind>, string> =>
  isRecord(json) && json["kind"] === "APIGroupDiscoveryList"
    ? Either.right(entries(json["items"]).flatMap((group) => {
      const name = isRecord(group["metadata"]) ? text(group["metadata"]["name"]) : ""
      return entries(group["versions"]).flatMap((version) =>
        entries(version["resources"]).flatMap((resource) => kindOf(name, text(version["version"]), resource))
      )
    }))
    : Either.left(`expected aggregated discovery (Kubernetes 1.26 or newer), found ${describe(json)}`)
