using System.Diagnostics;
using Engram.Data;
using Engram.Faults;
using Engram.Persistence;

namespace Engram.Tests.Persistence;

public class BundleFaultTests
{
    [Fact]
    public async Task A_process_killed_at_any_of_20_moments_leaves_a_whole_bundle_and_the_next_save_leaves_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var random = new SeededRandom(Environment.TickCount64, "kills");
        var token = TestContext.Current.CancellationToken;
        for (var round = 0; round < 5; round++)
        {
            var delays = Enumerable.Range(0, 4).Select(_ => random.Next(400)).ToArray();
            var said = await Task.WhenAll(delays.Select((delay, i) => RunAndKill(folder[$"bundle{i}"], delay, token)));
            for (var i = 0; i < said.Length; i++) CheckAndGoOn(folder, $"bundle{i}", said[i]);
        }
        Assert.All(Directory.GetFileSystemEntries(folder.Path), path => Assert.StartsWith("bundle", Path.GetFileName(path)));
    }

    [Fact]
    public void A_full_disk_is_said_so_and_leaves_the_bundle_before_whole()
    {
        using var disk = SmallDisk.OrSkip();
        using var learner = Recipe.Learner(disk["bundle"]);
        learner.Teach(Recipe.Experience(0));
        var before = Bundle.Save(learner, disk["bundle"]).Id;
        learner.Teach(Recipe.Experience(1));
        disk.Fill();

        var problem = Assert.Throws<IOException>(() => Bundle.Save(learner, disk["bundle"]));
        Assert.Contains("not saved", problem.Message);
        Assert.Equal(before, Bundle.Verify(disk["bundle"]).Id);
        Assert.Throws<IOException>(() => Bundle.Save(learner, disk["another"]));
        File.Delete(disk["filler"]);
        Assert.Equal(["bundle"], Directory.GetFileSystemEntries(disk.Path).Select(Path.GetFileName));
        AssertNothingElse(disk["bundle"]);

        var after = Bundle.Save(learner, disk["bundle"]);
        Assert.Equal(after.Id, Bundle.Verify(disk["bundle"]).Id);
        AssertNothingElse(disk["bundle"]);
    }

    [Fact]
    public void A_read_only_folder_is_said_so_and_leaves_the_bundle_before_whole()
    {
        using var disk = SmallDisk.OrSkip();
        using var learner = Recipe.Learner(disk["bundle"]);
        learner.Teach(Recipe.Experience(0));
        var before = Bundle.Save(learner, disk["bundle"]).Id;
        learner.Teach(Recipe.Experience(1));
        disk.MakeReadOnly();
        Assert.Contains("not saved", Assert.Throws<IOException>(() => Bundle.Save(learner, disk["bundle"])).Message);
        Assert.Equal(before, Bundle.Verify(disk["bundle"]).Id);
    }

    private static void CheckAndGoOn(TemporaryFolder folder, string name, int said)
    {
        if (!File.Exists(Path.Combine(folder[name], "manifest.json")))
        {
            Assert.Equal(0, said); // killed before the first save was whole
            Assert.False(Directory.Exists(folder[name]));
        }
        using var learner = Recipe.Learner(folder[name]);
        Assert.InRange(learner.Context.Completed, said, int.MaxValue);
        learner.Teach(Recipe.Experience(learner.Context.Completed));
        Bundle.Save(learner, folder[name]);
        AssertNothingElse(folder[name]);
    }

    private static void AssertNothingElse(string bundle)
    {
        Assert.Equal(["manifest.json", "parts"], Directory.GetFileSystemEntries(bundle).Select(Path.GetFileName).Order());
        Assert.Equal(
            Bundle.Verify(bundle).Parts.Select(part => $"{part.Sha256}.safetensors").Distinct().Order(),
            Directory.GetFiles(Path.Combine(bundle, "parts")).Select(Path.GetFileName).Order());
    }

    /// <summary>Starts the program, kills it some time after it is ready, and returns the last count it said was saved.</summary>
    private static async Task<int> RunAndKill(string bundle, int milliseconds, CancellationToken token)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Engram.Faults.dll");
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [program, bundle]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(token);
        var first = await process.StandardOutput.ReadLineAsync(token);
        if (first != "ready") Assert.Fail($"the program did not start: {first} {await errors}");
        await Task.Delay(milliseconds, token);
        process.Kill();
        var rest = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        var whole = rest[..(rest.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return whole.Length == 0 ? 0 : int.Parse(whole[^1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
