using System.IO.Compression;
using System.Net;
using System.Text;
using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Tests.Web;

public sealed class OperationTests : WebTest
{
    [Fact]
    public async Task A_learner_is_created_described_listed_paused_resumed_and_deleted()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);

        Assert.Equal(2, (await learner.GetAsync(Token)).Specification.Input.Size);
        Assert.Equal("pairs", Assert.Single(await client.GetLearnersAsync(Token)).Specification.Name);
        Assert.Equal(LearnerActivity.Paused, (await learner.PauseAsync("a try", Token)).Activity);
        Assert.Equal(LearnerActivity.Idle, (await learner.ResumeAsync(cancellationToken: Token)).Activity);
        Assert.Equal("name", (await RefusedAsync(HttpStatusCode.Conflict, () => client.CreateLearnerAsync(Pairs(), cancellationToken: Token))).Field);

        await learner.DeleteAsync("no use", Token);
        await RefusedAsync(HttpStatusCode.NotFound, () => learner.GetAsync(Token));
        var deletion = (await client.GetAuditAsync("pairs", cancellationToken: Token))[0];
        Assert.Equal(("learner.delete", "no use"), (deletion.Action, deletion.Reason));
        Assert.Matches(@"\Aadmin \(.+\)\z", deletion.Who); // name and id of the key
    }

    [Fact]
    public async Task A_service_keeps_everything_in_the_store_it_is_given()
    {
        SqliteServiceStore? given = null;
        var client = await StartAsync(Options with { OpenStore = (service, clock) => given = new SqliteServiceStore(service, clock) });
        await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);

        Assert.Same(given, Server.Service.Store);
        Assert.Single(given!.ReadLearners());
        Assert.Single(given.ReadKeys());
    }

    [Fact]
    public async Task A_reason_can_be_given_for_every_change()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), "a reason", Token);
        await learner.LearnAsync("a reason", Token);
        var pinned = await learner.PinExampleAsync(LearnerInput.Vector(-1, 0), "left", reason: "a reason", cancellationToken: Token);
        await learner.UnpinExampleAsync(pinned.Id, "a reason", Token);
        await client.CreateKeyAsync(new CreateKeyRequest { Name = "k", Roles = [Role.Predict], Reason = "a reason" }, Token);
        Assert.Equal(HttpStatusCode.NoContent, (await Http(Key).PostAsync("/v1/learners/pairs/learn", null, Token)).StatusCode); // none

        Assert.Equal(
            [("learner.learn", null), ("key.create", "a reason"), ("example.unpin", "a reason"), ("example.pin", "a reason"), ("learner.learn", "a reason"), ("learner.create", "a reason")],
            (await client.GetAuditAsync(limit: 6, cancellationToken: Token)).Select(entry => (entry.Action, entry.Reason)));
    }

    [Fact]
    public async Task What_a_specification_leaves_out_has_its_default()
    {
        await StartAsync();
        var answer = await Http(Key).PostAsync("/v1/learners", Json("""{"name":"t","input":{"kind":"text"},"gate":{"mode":"staged"}}"""), Token);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("/v1/learners/t", answer.Headers.Location?.ToString());
        var specification = (await Client(Key).Learner("t").GetAsync(Token)).Specification;
        Assert.Equal((2048, "ridge", 50, 0.02), (specification.Input.Features, specification.Model.Kind, specification.Learning.EverySamples, specification.Gate.MaxAccuracyDrop));
    }

    [Fact]
    public async Task Feedback_teaches_a_label_and_predictions_tell_it()
    {
        var learner = await TaughtAsync(await StartAsync());

        var one = await learner.PredictAsync(new PredictRequest { Input = LearnerInput.Vector(-1, 0), Alternatives = 1, Subject = "ann" }, Token);
        Assert.Equal(("left", 1), (one.Label, one.Version));
        Assert.Equal("right", Assert.Single(one.Alternatives).Label);

        var several = await learner.PredictAsync(new PredictBatchRequest { Inputs = [LearnerInput.Vector(1, 0), LearnerInput.Vector(-1, 0)] }, Token);
        Assert.Equal(["right", "left"], several.Predictions.Select(prediction => prediction.Label));

        Assert.Equal(FeedbackState.Accepted, (await learner.FeedbackAsync(one.PredictionId, "left", Token)).State);
        Assert.Equal(FeedbackState.Waiting, (await learner.FeedbackAsync("not-yet-known", "left", Token)).State);
        var status = await learner.GetFeedbackAsync(Token);
        Assert.Equal((1, 1), (status.Waiting, status.WithoutPrediction));
    }

    [Fact]
    public async Task An_idempotency_key_in_the_body_or_the_header_makes_repeats_harmless()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        var feedback = new FeedbackRequest { Input = LearnerInput.Vector(1, 1), Label = "x", IdempotencyKey = "k" };
        Assert.Equal(FeedbackState.Accepted, (await learner.FeedbackAsync(feedback, Token)).State);
        Assert.Equal(FeedbackState.Duplicate, (await learner.FeedbackAsync(feedback, Token)).State);

        using var http = Http(Key);
        http.DefaultRequestHeaders.Add("Idempotency-Key", "h");
        foreach (var state in (string[])["accepted", "duplicate"])
        {
            var answer = await http.PostAsync("/v1/learners/pairs/feedback/batch", Json("""{"items":[{"input":[1,2],"label":"x"},{"input":[2,1],"label":"y"}]}"""), Token);
            var text = await answer.Content.ReadAsStringAsync(Token);
            Assert.Equal(2, text.Split(state).Length - 1);
        }
        Assert.Equal(3, (await learner.GetFeedbackAsync(Token)).LastSequence);
    }

    [Fact]
    public async Task Versions_are_compared_pinned_named_and_rolled_back()
    {
        var learner = await TaughtAsync(await StartAsync());
        await learner.FeedbackAsync(Lesson("up", 0, 2), Token);
        var second = (await learner.LearnAsync(cancellationToken: Token))!;
        Assert.Null(await learner.LearnAsync(cancellationToken: Token));

        Assert.Equal([2, 1], (await learner.GetVersionsAsync(Token)).Select(version => version.Version));
        Assert.Equal(["up"], (await learner.DiffAsync(1, 2, Token)).NewLabels);
        Assert.True((await learner.PinAsync(1, "the first", Token)).Pinned);
        Assert.False((await learner.UnpinAsync(1, null, Token)).Pinned);
        Assert.Contains("old", (await learner.SetAliasAsync("old", 1, null, Token)).Aliases);
        var old = await learner.PredictAsync(new PredictRequest { Input = LearnerInput.Vector(0, 2), Version = "old" }, Token);
        Assert.Equal(1, old.Version);

        Assert.Equal(1, (await learner.RollbackAsync(reason: "worse", cancellationToken: Token)).Version);
        Assert.Equal(1, (await learner.PredictAsync(LearnerInput.Vector(0, 2), Token)).Version);
        Assert.Equal(VersionState.Retired, (await learner.GetVersionAsync(second.Version, Token)).State);
        await RefusedAsync(HttpStatusCode.NotFound, () => learner.GetVersionAsync(9, Token));
    }

    [Fact]
    public async Task A_person_approves_or_rejects_what_is_staged()
    {
        var client = await StartAsync();
        var learner = await TaughtAsync(client, Pairs() with { Gate = new GateSpecification { Mode = GateMode.Staged } });
        Assert.Null((await learner.GetAsync(Token)).Champion);
        Assert.Equal(VersionState.Published, (await learner.ApproveAsync(1, "looks good", Token)).State);

        await learner.FeedbackAsync(Lesson("up", 0, 2), Token);
        await learner.LearnAsync(cancellationToken: Token);
        Assert.Equal(VersionState.Refused, (await learner.RejectAsync(2, "not now", Token)).State);
        await RefusedAsync(HttpStatusCode.Conflict, () => learner.RejectAsync(2, null, Token));
    }

    [Fact]
    public async Task A_version_that_was_exported_is_imported_by_another_learner()
    {
        var client = await StartAsync();
        var learner = await TaughtAsync(client);
        using var zip = new MemoryStream();
        await learner.ExportAsync(1, zip, Token);
        zip.Position = 0;
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Read, leaveOpen: true))
            Assert.Contains(archive.Entries, entry => entry.FullName.EndsWith("manifest.json", StringComparison.Ordinal));
        zip.Position = 0;

        var other = await client.CreateLearnerAsync(Pairs("other"), cancellationToken: Token);
        Assert.Equal("import", (await other.ImportAsync(zip, "a copy", Token)).Trigger);
        Assert.Equal("left", (await other.PredictAsync(LearnerInput.Vector(-1, 0), Token)).Label);
        await RefusedAsync(HttpStatusCode.BadRequest, () => other.ImportAsync(new MemoryStream("no zip"u8.ToArray()), null, Token));
    }

    [Fact]
    public async Task Examples_are_pinned_listed_and_taken_away()
    {
        var client = await StartAsync();
        var learner = await TaughtAsync(client);
        var pinned = await learner.PinExampleAsync(LearnerInput.Vector(-1, 0), "left", cancellationToken: Token);

        Assert.Equal(pinned.Id, Assert.Single(await learner.GetExamplesAsync(Token)).Id);
        await learner.UnpinExampleAsync(pinned.Id, cancellationToken: Token);
        Assert.Empty(await learner.GetExamplesAsync(Token));
        await RefusedAsync(HttpStatusCode.NotFound, () => learner.UnpinExampleAsync(pinned.Id, cancellationToken: Token));
    }

    [Fact]
    public async Task A_subject_is_exported_and_deleted_whatever_its_name()
    {
        var client = await StartAsync();
        var learner = await TaughtAsync(client);
        foreach (var subject in (string[])["ann", "a/b", "a%2Fb", "安 ü?"])
        {
            await learner.FeedbackAsync(new FeedbackRequest { Input = LearnerInput.Vector(1, 0), Label = "right", Subject = subject }, Token);
            var export = await learner.ExportSubjectAsync(subject, Token);
            Assert.Equal(subject, export.Subject);
            Assert.Single(export.Feedback);
            Assert.Equal(1, (await learner.DeleteSubjectAsync(subject, "asked for", Token)).Feedback);
            Assert.Empty((await learner.ExportSubjectAsync(subject, Token)).Feedback);
        }
    }

    [Fact]
    public async Task What_is_watched_is_told_over_http_and_to_prometheus()
    {
        var client = await StartAsync();
        var learner = await TaughtAsync(client);
        await learner.PredictAsync(LearnerInput.Vector(-1, 0), Token);

        Assert.Equal(["left", "right"], (await learner.WatchAsync(Token)).Memory.Select(content => content.Label).Order());
        Assert.Equal([1], (await learner.GetAccuracyAsync(Token)).Versions);
        var metrics = await Http(Key).GetStringAsync("/metrics", Token);
        Assert.Contains("engram_learner_labels{otel_scope_name=\"Engram.Server\",learner=\"pairs\"} 2", metrics, StringComparison.Ordinal);
        Assert.Contains("http_server_request_duration", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_feedback_is_taken_in_and_may_be_sent_again()
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        using var csv = new MemoryStream(Encoding.UTF8.GetBytes("\uFEFFlabel,x,y,subject\r\nleft,-1,0,ann\r\n\"ri\"\"ght\",1,\"0\",\r\n"));
        Assert.Equal(new ImportReceipt(2, 2, 0, 0, 2), await learner.ImportFeedbackAsync(csv, ImportFormat.Csv, "file-1", Token));
        csv.Position = 0;
        Assert.Equal(2, (await learner.ImportFeedbackAsync(csv, ImportFormat.Csv, "file-1", Token)).Duplicates);
        Assert.Single((await learner.ExportSubjectAsync("ann", Token)).Feedback);

        var lines = string.Join('\n', Enumerable.Range(0, 1200).Select(i => $$"""{"input":[{{i}},1],"label":"l{{i % 3}}"}"""));
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(lines));
        Assert.Equal(1200, (await learner.ImportFeedbackAsync(json, ImportFormat.JsonLines, null, Token)).Accepted);
        await learner.LearnAsync(cancellationToken: Token);
        Assert.Contains("ri\"ght", (await learner.GetAsync(Token)).Labels);
    }

    [Theory]
    [InlineData("text/csv", "x,y\n1,2\n", 1, "label")]
    [InlineData("text/csv", "label,x,y\na,1,2\nb,1\n", 3, null)]
    [InlineData("text/csv", "label,x,y\na,1,2\nb,1,two\n", 3, "y")]
    [InlineData("text/csv", "label,x,y\na,1,2\nb,\"1,2\n", 3, null)]
    [InlineData("text/csv", "label,x\na,1\n", 2, "input")]
    [InlineData("application/x-ndjson", "{\"input\":[1,2],\"label\":\"a\"}\n\n{\"input\":[1,2],\"lable\":\"a\"}\n", 3, "lable")]
    [InlineData("application/x-ndjson", "{\"input\":[1,2],\"label\":\"a\"}\n{\"input\":[1],\"label\":\"a\"}\n", 2, "input")]
    [InlineData("application/x-ndjson", "{\"input\":[1,2],\"label\":\"a\"}\nnull\n", 2, null)]
    [InlineData("application/x-ndjson", "{\"input\":[1,2],\"label\":\"a\"}\n{", 2, "body")]
    public async Task A_wrong_line_is_named_and_what_stood_before_it_is_stored(string type, string file, int line, string? field)
    {
        var client = await StartAsync();
        var learner = await client.CreateLearnerAsync(Pairs(), cancellationToken: Token);
        var answer = await Http(Key).PostAsync("/v1/learners/pairs/feedback/import", new StringContent(file, Encoding.UTF8, type), Token);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await ProblemOfAsync(answer);
        Assert.Equal((line, field), (problem.Line, problem.Field));
        var before = type == "text/csv" ? line - 2 : 1;
        Assert.Equal(Math.Max(0, before), (await learner.GetFeedbackAsync(Token)).LastSequence);
    }
}
