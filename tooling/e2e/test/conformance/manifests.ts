/** Objects that several scenarios start from. */
export const configMap = (name: string, value = "one"): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, labels: { app: web } }\ndata: { key: ${value} }\n`

export const pod = (name: string, extra = ""): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { app: web } }\nspec:\n  terminationGracePeriodSeconds: 0\n  containers: [{ name: main, image: "nginx:1", ports: [{ containerPort: 80 }] }]\n${extra}`

export const deployment = (name: string, replicas = 0): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  replicas: ${String(replicas)}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main, image: "nginx:1", ports: [{ containerPort: 80 }] }] }
`
