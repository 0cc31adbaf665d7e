using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace Engram.Server.Api;

/// <summary>The description of the API (OpenAPI 3.1) and a page to try it, which loads nothing from elsewhere.</summary>
internal static class DocumentationEndpoints
{
    private const string Address = "/openapi/v1.json";

    public static IServiceCollection AddDocumentation(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer<DescribeDocument>();
        options.AddOperationTransformer<DescribeOperation>();
        options.AddSchemaTransformer<DescribeSchema>();
    });

    /// <summary>Serves the page at <c>/docs</c>.</summary>
    public static void UseDocumentation(this IApplicationBuilder app) => app.UseSwaggerUI(page =>
    {
        page.RoutePrefix = "docs";
        page.DocumentTitle = "Engram";
        page.SwaggerEndpoint(Address, "Engram v1");
        page.DisplayOperationId();
        page.DefaultModelsExpandDepth(0);
        page.DocExpansion(DocExpansion.List);
    });

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").Open();
        app.MapPrometheusScrapingEndpoint("/metrics").ForAllLearners(Engram.Client.Role.Operate);
    }
}
