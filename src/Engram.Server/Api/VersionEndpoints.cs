using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Engram.Server.Api;

/// <summary>Versions: history, decisions about them, roll back, aliases, export and import.</summary>
internal static class VersionEndpoints
{
    private const string Tag = "Versions";
    /// <summary>The type of a bundle in a file.</summary>
    public const string Zip = "application/zip";

    public static void Map(IEndpointRouteBuilder learner, RequestLimits limits)
    {
        var versions = learner.MapGroup("/versions");
        versions.MapGet("", (HttpContext context) => context.Learner().Versions).For(Role.Operate)
            .Described(Tag, "ListVersions", "Lists the versions, the newest first.", null, 404);
        versions.MapGet("/{version}", (HttpContext context, int version) => Find(context, version)).For(Role.Operate)
            .Described(Tag, "GetVersion", "Describes a version: what it learnt, how it did, and what the gate said.", null, 400, 404);
        versions.MapPost("/{version}/approve", (HttpContext context, int version, Body<ReasonRequest> body) =>
                context.Learner().ApproveAsync(version, context.By(), body.Value.Reason)).For(Role.Operate)
            .Described(Tag, "ApproveVersion", "Publishes a staged, observed or shadow version.", null, 400, 404, 409, 415);
        versions.MapPost("/{version}/reject", (HttpContext context, int version, Body<ReasonRequest> body) =>
                context.Learner().RejectAsync(version, context.By(), body.Value.Reason)).For(Role.Operate)
            .Described(Tag, "RejectVersion", "Refuses a staged version.", null, 400, 404, 409, 415);
        versions.MapPost("/{version}/pin", (HttpContext context, int version, Body<ReasonRequest> body) =>
                context.Learner().PinAsync(version, true, context.By(), body.Value.Reason)).For(Role.Operate)
            .Described(Tag, "PinVersion", "Keeps a version for ever.", null, 400, 404, 415);
        versions.MapDelete("/{version}/pin", (HttpContext context, int version, string? reason) =>
                context.Learner().PinAsync(version, false, context.By(), reason)).For(Role.Operate)
            .Described(Tag, "UnpinVersion", "Keeps a version no longer than others.", null, 400, 404);
        versions.MapGet("/{from}/diff/{to}", (HttpContext context, int from, int to) =>
                context.Learner().DiffAsync(from, to, context.RequestAborted)).For(Role.Operate)
            .Described(Tag, "DiffVersions", "Says how two versions differ.", null, 400, 404);
        versions.MapGet("/{version}/export", ExportAsync).For(Role.Operate)
            .Produces(StatusCodes.Status200OK, contentType: Zip)
            .Described(Tag, "ExportVersion", "Gives a version's bundle as a zip; engram inspect and engram predict read it unpacked.", null, 400, 404);
        versions.MapPost("/import", ImportAsync).For(Role.Operate)
            .WithMetadata(new BodyLimit(limits.MaxImportBytes))
            .Described(Tag, "ImportVersion", "Takes in a bundle as a candidate, which the gate examines.",
                "The zip is one that was exported, or one of a bundle's folder that engram run wrote.", 400, 404, 409, 413, 415);
        learner.MapPost("/rollback", (HttpContext context, Body<RollbackRequest> body) =>
                context.Learner().RollbackAsync(body.Value.Version, context.By(), body.Value.Reason)).For(Role.Operate)
            .Described(Tag, "Rollback", "Goes back to a version, or to the one published before, at once.",
                "What was learnt since waits again; learning is paused, so that it is not learnt anew at once.", 400, 404, 409, 415);
        learner.MapPut("/aliases/{alias}", (HttpContext context, string alias, Body<AliasRequest> body) =>
                context.Learner().AliasAsync(alias, body.Value.Version, context.By(), body.Value.Reason)).For(Role.Operate)
            .Described(Tag, "SetAlias", "Gives an alias other than champion to a version.", null, 400, 404, 409, 415);
    }

    private static VersionInfo Find(HttpContext context, int version) =>
        context.Learner().Versions.FirstOrDefault(known => known.Version == version)
        ?? throw new NotFoundException("version", $"there is no version {version}");

    private static async Task ExportAsync(HttpContext context, int version)
    {
        Find(context, version);
        var response = context.Response;
        response.ContentType = Zip;
        response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment")
        {
            FileName = $"{context.Learner().Name}-{version}.zip",
        }.ToString();
        // A zip that is written as it is sent needs no room on disk.
        await using var body = response.BodyWriter.AsStream(leaveOpen: true);
        await context.Learner().ExportAsync(version, body, context.RequestAborted);
    }

    private static async Task<VersionInfo> ImportAsync(HttpContext context, string? reason)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != Zip)
            throw new RefusedException(415, "media-type", "content-type", $"\"{Shown.Text(context.Request.ContentType ?? "")}\", expected {Zip}");
        // A zip's table stands at its end: it must be whole before it is read.
        var file = Path.Combine(Path.GetTempPath(), $"engram-import-{Guid.NewGuid():N}.zip");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var zip = new FileStream(file, options);
        await context.Request.Body.CopyToAsync(zip, context.RequestAborted);
        zip.Position = 0;
        return await context.Learner().ImportAsync(zip, context.By(), reason, context.RequestAborted);
    }
}
