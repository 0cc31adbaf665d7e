using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;

namespace Engram.Server.Tests.Web;

public sealed partial class DocumentationTests : WebTest
{
    [Fact]
    public async Task The_description_is_valid_OpenAPI_3_1()
    {
        await StartAsync();
        var text = await Http(null).GetStringAsync("/openapi/v1.json", Token);
        var read = OpenApiDocument.Parse(text, "json");

        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        Assert.Empty(read.Document!.Validate(ValidationRuleSet.GetDefaultRuleSet()));
    }

    [Fact]
    public async Task Every_operation_parameter_answer_and_schema_is_described()
    {
        await StartAsync();
        var document = JsonNode.Parse(await Http(null).GetStringAsync("/openapi/v1.json", Token))!;
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var name = $"{method} {path}";
                Assert.False(string.IsNullOrEmpty((string?)operation!["summary"]), name);
                Assert.All(operation["parameters"]?.AsArray() ?? [], parameter => Assert.False(string.IsNullOrEmpty((string?)parameter!["description"]), $"{name}: {parameter["name"]}"));
                Assert.All(operation["responses"]!.AsObject(), response => Assert.False(string.IsNullOrEmpty((string?)response.Value!["description"]), $"{name}: {response.Key}"));
                foreach (var place in (string[])[.. PathParameters().Matches(path).Select(match => match.Groups[1].Value)])
                    Assert.Contains(operation["parameters"]!.AsArray(), parameter => (string?)parameter!["name"] == place && (string?)parameter["in"] == "path");
                if (path.StartsWith("/v1", StringComparison.Ordinal)) Assert.NotNull(operation["security"]);
            }
        }
        foreach (var (name, schema) in document["components"]!["schemas"]!.AsObject())
        {
            Assert.False(string.IsNullOrEmpty((string?)schema!["description"]), name);
            Assert.All(schema["properties"]?.AsObject() ?? [], property =>
                Assert.True(property.Value!["description"] is not null || property.Value["$ref"] is not null, $"{name}.{property.Key}"));
        }
    }

    [Fact]
    public async Task Every_route_is_in_the_description()
    {
        await StartAsync();
        var document = JsonNode.Parse(await Http(null).GetStringAsync("/openapi/v1.json", Token))!;
        var described = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}")).ToHashSet();
        var routes = Server.Routes.Where(route => route.Path.StartsWith("/v1", StringComparison.Ordinal) || route.Path.StartsWith("/health", StringComparison.Ordinal))
            .Select(route => $"{route.Method} {route.Path}").ToHashSet();

        Assert.Equal(routes.Order(), described.Order());
        Assert.True(routes.Count >= 39);
    }

    [Fact]
    public async Task The_page_to_try_it_loads_nothing_from_elsewhere()
    {
        await StartAsync();
        var http = Http(null);
        var page = await http.GetStringAsync("/docs/index.html", Token);
        var loads = Loads().Matches(page).Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(loads);
        foreach (var load in loads)
        {
            Assert.DoesNotContain("//", load, StringComparison.Ordinal);
            Assert.True((await http.GetAsync(new Uri(new Uri(Address, "/docs/index.html"), load), Token)).IsSuccessStatusCode, load);
        }
        Assert.Contains("/openapi/v1.json", await http.GetStringAsync("/docs/index.js", Token), StringComparison.Ordinal);
        var styles = await http.GetStringAsync("/docs/swagger-ui.css", Token);
        Assert.DoesNotMatch("url\\(['\"]?(https?:)?//", styles);
    }

    [GeneratedRegex("\\{(\\w+)\\}")]
    private static partial Regex PathParameters();

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Loads();
}
