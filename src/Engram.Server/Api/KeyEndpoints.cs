using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Keys: who may do what.</summary>
internal static class KeyEndpoints
{
    private const string Tag = "Keys";
    private const int LongestName = 100;

    public static void Map(IEndpointRouteBuilder v1, Startup startup, TimeProvider clock)
    {
        var keys = v1.MapGroup("/keys");
        keys.MapGet("", () => (IReadOnlyList<KeyInfo>)[.. startup.Opened.Keys.Keys]).ForAllLearners(Role.Admin)
            .Described(Tag, "ListKeys", "Lists the keys, without their secrets.");
        keys.MapPost("", (HttpContext context, Body<CreateKeyRequest> body) => CreateAsync(context, body, startup, clock)).ForAllLearners(Role.Admin)
            .Described(Tag, "CreateKey", "Makes a key; its secret is shown this once.", null, 400, 413, 415);
        keys.MapDelete("/{id}", (HttpContext context, string id, string? reason) => DeleteAsync(context, id, reason, startup)).ForAllLearners(Role.Admin)
            .Described(Tag, "DeleteKey", "Revokes a key, at once.", null, 404, 409);
    }

    private static async Task<Created<CreatedKey>> CreateAsync(HttpContext context, Body<CreateKeyRequest> body, Startup startup, TimeProvider clock)
    {
        Check(body.Value, clock.GetUtcNow());
        var created = await startup.Opened.Keys.CreateAsync(body.Value, context.By());
        return TypedResults.Created($"/v1/keys/{created.Info.Id}", created);
    }

    /// <summary>Checks what a key is to be.</summary>
    /// <exception cref="InputException">A field is wrong.</exception>
    public static void Check(CreateKeyRequest request, DateTimeOffset now)
    {
        if (request.Name.Length is 0 or > LongestName || request.Name.Any(char.IsControl))
            throw new InputException("name", $"\"{Shown.Text(request.Name)}\", expected 1 to {LongestName} characters");
        if (request.Roles.Count == 0) throw new InputException("roles", "none, expected at least one");
        for (var i = 0; i < request.Learners.Count; i++)
        {
            if (string.IsNullOrEmpty(request.Learners[i]) || request.Learners[i].Length > 64)
                throw new InputException($"learners[{i}]", "expected the name of a learner");
        }
        if (request.Expires <= now) throw new InputException("expires", $"{request.Expires:O} is over, expected a time to come");
    }

    private static async Task<NoContent> DeleteAsync(HttpContext context, string id, string? reason, Startup startup)
    {
        if (!await startup.Opened.Keys.DeleteAsync(id, context.By(), reason))
            throw new NotFoundException("id", $"there is no key \"{Shown.Text(id)}\"");
        return TypedResults.NoContent();
    }
}
