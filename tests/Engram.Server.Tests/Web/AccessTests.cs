using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Engram.Client;

namespace Engram.Server.Tests.Web;

public sealed partial class AccessTests : WebTest
{
    // The least role of each operation; null for everyone. What is not here is a new operation that somebody must decide about.
    private static readonly Dictionary<string, Role?> s_least = new (Role? Role, string Operations)[]
    {
        (null, "IsAlive HasStarted IsReady"),
        (Role.Predict, "Predict PredictBatch"),
        (Role.Feedback, "SendFeedback SendFeedbackBatch ImportFeedback"),
        (Role.Operate, "ListLearners GetLearner PauseLearner ResumeLearner Learn ReadAudit GetFeedbackStatus Rollback SetAlias Watch GetAccuracy GetEvents "
            + "ExportSubject DeleteSubject ListVersions GetVersion ApproveVersion RejectVersion PinVersion UnpinVersion DiffVersions ExportVersion "
            + "ImportVersion ListExamples PinExample UnpinExample"),
        (Role.Admin, "CreateLearner DeleteLearner ListKeys CreateKey DeleteKey"),
    }.SelectMany(group => group.Operations.Split(' ').Select(id => (id, group.Role))).ToDictionary(pair => pair.id, pair => pair.Role);

    private static readonly string[] s_ofAllLearners = ["ListKeys", "CreateKey", "DeleteKey"];

    [Fact]
    public async Task Each_operation_is_open_to_the_roles_that_it_should_be_and_no_others()
    {
        var admin = await StartAsync();
        await admin.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        var keys = new Dictionary<Role, string>();
        foreach (var role in Enum.GetValues<Role>()) keys[role] = await KeyOfAsync(admin, role, "pairs");
        foreach (var (method, path, id) in await OperationsAsync())
        {
            var least = s_least[id];
            Assert.Equal(least is null ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await SendAsync(null, method, path));
            Assert.Equal(least is null ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await SendAsync("ek_0000000000000000_x", method, path));
            if (least is null) continue;
            foreach (var (role, key) in keys)
            {
                if (role == Role.Admin && !s_ofAllLearners.Contains(id)) continue; // it may delete what the others still need
                var allowed = Includes(role, least.Value) && !s_ofAllLearners.Contains(id);
                Assert.True(await SendAsync(key, method, path) == HttpStatusCode.Forbidden != allowed, $"{id} with {role}");
            }
        }
    }

    [Fact]
    public async Task A_key_that_was_bound_to_a_deleted_learner_does_not_reach_a_later_one_of_that_name()
    {
        var admin = await StartAsync();
        await admin.CreateLearnerAsync(Pairs("one"), cancellationToken: Token);
        await admin.CreateLearnerAsync(Pairs("two"), cancellationToken: Token);
        var alone = Client(await KeyOfAsync(admin, Role.Admin, "one"));
        var both = Client(await KeyOfAsync(admin, Role.Admin, "one", "two"));
        await alone.GetLearnersAsync(Token);

        await admin.Learner("one").DeleteAsync(cancellationToken: Token);
        await admin.CreateLearnerAsync(Pairs("one"), cancellationToken: Token);

        await RefusedAsync(HttpStatusCode.Unauthorized, () => alone.GetLearnersAsync(Token));
        Assert.Equal("two", Assert.Single(await both.GetLearnersAsync(Token)).Specification.Name);
        await RefusedAsync(HttpStatusCode.NotFound, () => both.Learner("one").GetAsync(Token));
    }

    [Fact]
    public async Task A_learner_that_could_not_be_opened_answers_so_and_can_be_deleted()
    {
        var admin = await StartAsync();
        await admin.CreateLearnerAsync(Pairs("one"), cancellationToken: Token);
        await admin.CreateLearnerAsync(Pairs("two"), cancellationToken: Token);
        await Server.StopAsync(Token);
        foreach (var file in Directory.GetFiles(Path.Combine(Options.Service.Folder, "learners", "one"), "log.db*")) await File.WriteAllTextAsync(file, new string('x', 8192), Token);
        await Server.DisposeAsync();
        var key = Key;
        await StartAsync();
        admin = Client(key);

        var problem = await RefusedAsync(HttpStatusCode.ServiceUnavailable, () => admin.Learner("one").GetAsync(Token));

        Assert.Equal("urn:engram:problem:failed", problem.Problem.Type);
        await admin.Learner("two").GetAsync(Token);
        Assert.Equal([LearnerActivity.Failed, LearnerActivity.Idle], (await admin.GetLearnersAsync(Token)).Select(learner => learner.Activity));
        await admin.Learner("one").DeleteAsync(cancellationToken: Token);
        await RefusedAsync(HttpStatusCode.NotFound, () => admin.Learner("one").GetAsync(Token));
    }

    [Fact]
    public async Task A_learner_of_another_key_is_as_if_it_were_not_there()
    {
        var admin = await StartAsync();
        await admin.CreateLearnerAsync(Pairs("mine"), cancellationToken: Token);
        await admin.CreateLearnerAsync(Pairs("hers"), cancellationToken: Token);
        foreach (var role in Enum.GetValues<Role>())
        {
            var key = await KeyOfAsync(admin, role, "mine");
            foreach (var (method, path, id) in (await OperationsAsync()).Where(operation => operation.Path.Contains("{name}", StringComparison.Ordinal)))
            {
                var there = await AnswerAsync(key, method, path.Replace("{name}", "hers", StringComparison.Ordinal));
                var absent = await AnswerAsync(key, method, path.Replace("{name}", "none", StringComparison.Ordinal));
                Assert.Equal((HttpStatusCode.NotFound, id), (there.Status, id));
                Assert.Equal(absent.Body.Replace("none", "hers", StringComparison.Ordinal), there.Body);
            }
        }
        var mine = Client(await KeyOfAsync(admin, Role.Admin, "mine"));
        Assert.Equal("mine", Assert.Single(await mine.GetLearnersAsync(Token)).Specification.Name);
        Assert.All(await mine.GetAuditAsync("mine", cancellationToken: Token), entry => Assert.Equal("mine", entry.Learner));
        await RefusedAsync(HttpStatusCode.NotFound, () => mine.GetAuditAsync("hers", cancellationToken: Token));
        await RefusedAsync(HttpStatusCode.BadRequest, () => mine.GetAuditAsync(cancellationToken: Token));
        await RefusedAsync(HttpStatusCode.Forbidden, () => mine.CreateLearnerAsync(Pairs("hers"), cancellationToken: Token));
        await RefusedAsync(HttpStatusCode.Forbidden, () => mine.CreateLearnerAsync(Pairs("new"), cancellationToken: Token));
        await RefusedAsync(HttpStatusCode.Forbidden, () => mine.GetKeysAsync(Token));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(await KeyOfAsync(admin, Role.Operate, "mine"), "GET", "/metrics"));
    }

    [Fact]
    public async Task Keys_are_shown_once_end_and_can_be_revoked()
    {
        var admin = await StartAsync();
        var created = await admin.CreateKeyAsync(new CreateKeyRequest { Name = "shop", Roles = [Role.Operate] }, Token);
        Assert.Empty(await Client(created.Key).GetLearnersAsync(Token));
        Assert.DoesNotContain(created.Key, await Http(Key).GetStringAsync("/v1/keys", Token), StringComparison.Ordinal);
        Assert.Equal(["admin", "shop"], (await admin.GetKeysAsync(Token)).Select(key => key.Name));

        await admin.DeleteKeyAsync(created.Info.Id, "left", Token);
        await RefusedAsync(HttpStatusCode.Unauthorized, () => Client(created.Key).GetLearnersAsync(Token));
        await RefusedAsync(HttpStatusCode.NotFound, () => admin.DeleteKeyAsync(created.Info.Id, null, Token));
        var audit = await admin.GetAuditAsync(cancellationToken: Token);
        Assert.Equal(["key.delete", "key.create", "key.create"], audit.Select(entry => entry.Action));
        Assert.Equal("left", audit[0].Reason);

        var last = (await admin.GetKeysAsync(Token))[0];
        Assert.Equal("id", (await RefusedAsync(HttpStatusCode.Conflict, () => admin.DeleteKeyAsync(last.Id, null, Token))).Field);
        Assert.Equal("expires", (await RefusedAsync(HttpStatusCode.BadRequest, () => admin.CreateKeyAsync(
            new CreateKeyRequest { Name = "old", Roles = [Role.Predict], Expires = DateTimeOffset.UnixEpoch }, Token))).Field);
        Assert.Equal("roles", (await RefusedAsync(HttpStatusCode.BadRequest, () => admin.CreateKeyAsync(new CreateKeyRequest { Name = "none" }, Token))).Field);
    }

    [Fact]
    public async Task The_first_key_is_made_once_and_its_secret_is_not_on_disk()
    {
        await StartAsync();
        var first = Key;
        await Server.StopAsync(Token);
        var secret = first.Split('_', 3)[2];
        foreach (var file in Directory.EnumerateFiles(Options.Service.Folder, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(secret, System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Token)), StringComparison.Ordinal);

        await StartAsync();
        Assert.Equal(first, Key);
        Assert.Empty(await Client(first).GetLearnersAsync(Token));
    }

    [Fact]
    public async Task Without_keys_everyone_on_loopback_may_do_everything()
    {
        await StartAsync(Options with { NoAuth = true });
        Assert.Empty(await Client(null).GetLearnersAsync(Token));
        Assert.Empty(await Client(null).GetKeysAsync(Token));
    }

    private static bool Includes(Role role, Role least) => role switch
    {
        Role.Admin => true,
        Role.Operate => least != Role.Admin,
        _ => role == least,
    };

    private async Task<IReadOnlyList<(string Method, string Path, string Id)>> OperationsAsync()
    {
        var document = JsonNode.Parse(await Http(null).GetStringAsync("/openapi/v1.json", Token))!;
        return [.. from path in document["paths"]!.AsObject()
                   from operation in path.Value!.AsObject()
                   select (operation.Key.ToUpperInvariant(), path.Key, (string)operation.Value!["operationId"]!)];
    }

    private async Task<HttpStatusCode> SendAsync(string? key, string method, string path) => (await AnswerAsync(key, method, path)).Status;

    private async Task<(HttpStatusCode Status, string Body)> AnswerAsync(string? key, string method, string path)
    {
        using var http = Http(key);
        var address = Braces().Replace(path.Replace("{name}", "pairs", StringComparison.Ordinal), "1");
        using var request = new HttpRequestMessage(new HttpMethod(method), address);
        if (method is "POST" or "PUT") request.Content = Json("{}");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        if (response.Content.Headers.ContentType?.MediaType == "text/event-stream") return (response.StatusCode, "");
        return (response.StatusCode, TraceId().Replace(await response.Content.ReadAsStringAsync(Token), ""));
    }

    [GeneratedRegex("\\{\\w+\\}")]
    private static partial Regex Braces();

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();

    [Fact]
    public void The_audit_log_tells_keys_of_one_name_apart() =>
        Assert.Equal("shop (a1)", Engram.Server.Security.Caller.Of(new KeyInfo { Id = "a1", Name = "shop", Roles = [Role.Predict], Created = default }).Signature);
}
