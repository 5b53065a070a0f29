// Starts GraphiQL against the endpoint of this page. What stands in the headers editor goes along with
// every request; over WebSocket it becomes the payload of connection_init.
if (typeof GraphiQL === "undefined") {
  document.getElementById("console").textContent =
    "The console's scripts could not be loaded. Without network access, put the npm packages graphiql, " +
    "react and react-dom into a directory and name it in the configuration (bff.console_assets).";
} else {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const tabs = JSON.parse(document.getElementById("tabs").textContent);

  const fetcher = GraphiQL.createFetcher({
    url: "/graphql",
    subscriptionUrl: `${scheme}//${location.host}/graphql`,
  });

  ReactDOM.createRoot(document.getElementById("console")).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: tabs.length > 0 ? tabs : undefined,
      defaultEditorToolsVisibility: "headers",
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: true,
    }),
  );
}
