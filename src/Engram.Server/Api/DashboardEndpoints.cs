using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;

namespace Engram.Server.Api;

/// <summary>The dashboard's files, which the assembly holds.</summary>
internal static class DashboardEndpoints
{
    private const string Folder = "Dashboard/";
    private const string Start = "index.html";

    public static void Map(IEndpointRouteBuilder app)
    {
        var types = new FileExtensionContentTypeProvider();
        var assembly = typeof(DashboardEndpoints).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            var name = resource[Folder.Length..];
            if (!types.TryGetContentType(name, out var type)) type = "application/octet-stream";
            if (type.StartsWith("text/", StringComparison.Ordinal)) type += "; charset=utf-8";
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            Add(app, $"/{name}", content, type);
            if (name == Start) Add(app, "/", content, type);
        }
    }

    private static void Add(IEndpointRouteBuilder app, string path, byte[] content, string type) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], () => TypedResults.Bytes(content, type)).Open().ExcludeFromDescription();
}
