// The API's description in Swagger UI, from this server only.
window.SwaggerUIBundle?.({ url: "openapi.json", domNode: document.querySelector("#api"), validatorUrl: null });
