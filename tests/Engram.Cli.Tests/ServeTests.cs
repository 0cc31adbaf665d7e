using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Engram.Cli.Commands;

namespace Engram.Cli.Tests;

public sealed class ServeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-serve-").FullName;

    [Fact]
    public async Task The_service_says_where_it_is_takes_its_first_key_and_ends_well_when_it_is_told_to()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        var data = Path.Combine(_folder, "data");
        using var process = Process.Start(Terminal.Info(typeof(CommandLine).Assembly.Location, _folder, "serve", "--port", "0", "--data", data))!;
        var logs = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Uri? address = null;
        string? key = null;
        while (key is null && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith("listening on ", StringComparison.Ordinal)) address = new Uri(line["listening on ".Length..]);
            if (line.Trim().StartsWith("ek_", StringComparison.Ordinal)) key = line.Trim();
        }
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        Assert.Equal("[]", await http.GetStringAsync("/v1/learners", TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/", TestContext.Current.CancellationToken)).StatusCode);

        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains("nothing acknowledged is lost", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Success, process.ExitCode);
        var said = (await logs).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray(); // a line each
        Assert.Contains(said, line => (string?)line["Message"] == "the service is open with 0 learner(s)");
        Assert.All(said, line => Assert.EndsWith("Z", (string?)line["Timestamp"], StringComparison.Ordinal));

        var listed = Terminal.Run("keys", "list", "--data", data);
        Assert.Contains(key!.Split('_')[1], listed.Out, StringComparison.Ordinal);
        Assert.StartsWith("ek_", Terminal.Run("keys", "create", "shop", "--roles", "predict", "feedback", "--data", data).Out, StringComparison.Ordinal);
        var last = Terminal.Run("keys", "revoke", key.Split('_')[1], "--data", data);
        Assert.Equal(ExitCode.Usage, last.Code);
        Assert.Contains("last key", last.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--urls", "http://0.0.0.0:7070", "--urls")]
    [InlineData("--urls", "https://127.0.0.1:7070", "--urls")]
    [InlineData("--port", "70000", "--port")]
    [InlineData("--logs", "loud", "--logs")]
    [InlineData("--tls-key", "none.pem", "--tls-key")]
    public void A_wrong_option_is_named(string option, string value, string named)
    {
        var outcome = Terminal.Run("serve", option, value, "--data", Path.Combine(_folder, "data"));

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(named, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_none_is_named()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        Assert.Contains("--data", Assert.Single(Terminal.Run("serve", "--data", file).ErrorLines), StringComparison.Ordinal);
        Assert.Contains("--data", Assert.Single(Terminal.Run("keys", "list", "--data", file).ErrorLines), StringComparison.Ordinal);
        Assert.EndsWith("engram-data", ServeCommand.DefaultFolder, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
