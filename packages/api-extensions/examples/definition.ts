import { CustomResourceDefinitionKind, CustomResourceKind } from "@reddwarf/api-extensions"
import { Console, Effect, Either } from "effect"

const { customResourceDefinition } = CustomResourceDefinitionKind

const definition = customResourceDefinition.prepareForCreate(
  customResourceDefinition.defaults({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "crontabs.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "crontabs", kind: "CronTab" },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: { replicas: { type: "integer", default: 1 }, maximum: { type: "integer", default: 5 } },
                "x-kubernetes-validations": [{ rule: "self.replicas <= self.maximum", message: "too many replicas" }]
              }
            }
          }
        }
      }]
    }
  }),
  0
)

const program = Effect.gen(function*() {
  yield* Console.log("problems of the definition:", customResourceDefinition.validate(definition).length)
  const [kind] = CustomResourceKind.make(definition)
  if (kind?.custom === undefined) return
  const decoded = kind.custom.decode({
    apiVersion: "example.com/v1",
    kind: "CronTab",
    metadata: { name: "nightly", namespace: "default" },
    spec: { replicas: 7, nonsense: true }
  })
  if (Either.isLeft(decoded)) return
  const { object, unknownFields } = decoded.right
  yield* Console.log(unknownFields.join())
  const filled = kind.defaults(object)
  yield* Console.log(JSON.stringify(filled))
  for (const { message, path } of kind.validate(filled)) yield* Console.log(`${path}: ${message}`)
})

await Effect.runPromise(program)
