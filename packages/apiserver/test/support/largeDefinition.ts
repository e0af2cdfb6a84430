/** Definitions as large as those that certificate issuers and meshes install: several hundred kilobytes of nested schema. */

interface Schema {
  readonly [key: string]: unknown
}

const text = (index: number): string =>
  `Field number ${index} of a large type. It is described at length, because generated schemas repeat the documentation of every field in every place where its type is used.`

const node = (depth: number, breadth: number, seed: number): Schema => {
  if (depth === 0) {
    const kinds: ReadonlyArray<Schema> = [
      { type: "string", description: text(seed), maxLength: 253 },
      { type: "integer", description: text(seed), format: "int32", minimum: 0 },
      { type: "boolean", description: text(seed) },
      { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }], description: text(seed) },
      { type: "object", description: text(seed), additionalProperties: { type: "string" } },
      { type: "array", description: text(seed), items: { type: "string" }, "x-kubernetes-list-type": "atomic" }
    ]
    return kinds[seed % kinds.length] ?? {}
  }
  const properties = Object.fromEntries(
    Array.from({ length: breadth }, (_, index) => [`field${index}`, node(depth - 1, breadth, seed * breadth + index)])
  )
  const object = { type: "object", description: text(seed), properties }
  return seed % 5 === 3 ? { type: "array", description: text(seed), items: object } : object
}

/** A definition with thousands of fields. */
export const largeDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "issuers.large.example.com" },
  spec: {
    group: "large.example.com",
    scope: "Namespaced",
    names: { plural: "issuers", kind: "Issuer", shortNames: ["iss"], categories: ["large"] },
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
      additionalPrinterColumns: [
        { name: "Ready", type: "string", jsonPath: ".status.conditions[?(@.type==\"Ready\")].status" },
        { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
        { name: "Email", type: "string", jsonPath: ".spec.email", priority: 1 },
        { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }
      ],
      schema: {
        openAPIV3Schema: {
          type: "object",
          description: "An Issuer signs requests.",
          properties: {
            apiVersion: { type: "string" },
            kind: { type: "string" },
            metadata: { type: "object" },
            spec: {
              type: "object",
              description: "What the issuer shall do.",
              required: ["email"],
              properties: {
                email: { type: "string", description: "Address of whoever is responsible.", pattern: "^[^@]+@[^@]+$" },
                replicas: { type: "integer", default: 1, description: "How many there are." },
                acme: node(4, 7, 1)
              },
              "x-kubernetes-validations": [{ rule: "self.replicas <= 10", message: "no more than ten" }]
            },
            status: {
              type: "object",
              properties: {
                replicas: { type: "integer" },
                conditions: {
                  type: "array",
                  "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["type"],
                  items: {
                    type: "object",
                    required: ["type", "status"],
                    properties: { type: { type: "string" }, status: { type: "string", enum: ["True", "False", "Unknown"] } }
                  }
                }
              }
            }
          }
        }
      }
    }]
  }
}
