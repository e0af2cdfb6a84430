/** The kinds under which the histories of objects are found. They are made by the server, never stored. */
import { type ApiextensionsV1, type Kind, KindRegistry } from "@reddwarf/api-types"
import * as computedKinds from "./computedKinds.js"

/** The API group of histories. */
export const group = "history.reddwarf.io"
const version = "v1alpha1"

const text = (description: string) => ({ type: "string", description })

const schema: ApiextensionsV1.JSONSchemaProps = {
  description: "The former versions of one object: who made which, when, and what it was.",
  type: "object",
  properties: {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { type: "object" },
    object: {
      description: "The object whose history this is.",
      type: "object",
      properties: {
        apiVersion: { type: "string" },
        kind: { type: "string" },
        resource: text("Plural name and group: deployments.apps."),
        namespace: { type: "string" },
        name: { type: "string" },
        exists: { type: "boolean", description: "False when it was deleted." }
      }
    },
    versions: {
      description: "The versions that are kept, oldest first; the last one is the current one, or the deletion.",
      type: "array",
      items: {
        type: "object",
        properties: {
          revision: text("Resource version of this version."),
          operation: text("create, update or delete."),
          time: { type: "string", format: "date-time" },
          user: text("Who made it."),
          verb: text("What was asked for."),
          manager: text("The field manager."),
          subresource: { type: "string" },
          changed: { type: "array", description: "The fields that it changed, at most 20.", items: { type: "string" } },
          object: { type: "object", description: "The whole object. Not in lists.", "x-kubernetes-preserve-unknown-fields": true }
        }
      }
    }
  }
}

const kindOf = (names: ApiextensionsV1.CustomResourceDefinitionNames, scope: "Namespaced" | "Cluster"): Kind.Kind =>
  computedKinds.make({ group, version, names, scope, schema, verbs: ["get", "list"] })

/** Histories of objects in namespaces. */
export const namespaced: Kind.Kind = kindOf({
  plural: "objecthistories",
  singular: "objecthistory",
  shortNames: ["history"],
  kind: "ObjectHistory",
  listKind: "ObjectHistoryList"
}, "Namespaced")

/** Histories of objects outside of namespaces. */
export const cluster: Kind.Kind = kindOf({
  plural: "clusterobjecthistories",
  singular: "clusterobjecthistory",
  shortNames: ["clusterhistory"],
  kind: "ClusterObjectHistory",
  listKind: "ClusterObjectHistoryList"
}, "Cluster")

/** A registry with these kinds beside its own. */
export const addTo = (registry: KindRegistry.Registry): KindRegistry.Registry =>
  KindRegistry.make([...registry.kinds, namespaced, cluster])

/** Whether a path is below the group. */
export const isHistory = (info: { readonly isResource: boolean; readonly group: string }): boolean => info.isResource && info.group === group
