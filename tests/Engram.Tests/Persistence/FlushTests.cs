using Engram.Persistence;

namespace Engram.Tests.Persistence;

/// <summary>What must reach the disk before a save may be called one.</summary>
public class FlushTests
{
    [Fact]
    public void A_save_flushes_every_file_before_it_has_its_name_and_every_new_folder_into_the_one_above()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("folders cannot be flushed there");
        using var folder = new TemporaryFolder();
        using var learner = VersionFixtures.Taught("mlp");
        var flushed = Flushed(() => Bundle.Save(learner, folder["runs/one/models/replay"]));

        var models = folder["runs/one/models"];
        Assert.Equal([folder.Path, folder["runs"], folder["runs/one"], models], flushed.Take(4));
        var parts = Directory.GetFiles(folder["runs/one/models/replay/parts"]);
        foreach (var part in parts.Append(Path.Combine(models, "replay", "manifest.json")))
            Assert.Contains(flushed, path => Path.GetFileName(path).StartsWith($"{Path.GetFileName(part)}.", StringComparison.Ordinal));
        // Parts are in their folder before the manifest that names them is written, and the bundle is in its own last of all.
        var manifest = flushed.FindIndex(path => Path.GetFileName(path).StartsWith("manifest.json.", StringComparison.Ordinal));
        Assert.EndsWith("/parts", flushed[manifest - 1], StringComparison.Ordinal);
        Assert.EndsWith(".saving", flushed[manifest + 1], StringComparison.Ordinal);
        Assert.Equal(models, flushed[^1]);

        learner.Teach(VersionFixtures.Experience(1));
        flushed = Flushed(() => Bundle.Save(learner, folder["runs/one/models/replay"]));
        Assert.Equal(Path.Combine(models, "replay"), flushed[^1]);
        Assert.Equal(Path.Combine(models, "replay", "parts"), flushed[^3]);
    }

    [Fact]
    public void What_the_other_writers_write_is_flushed_too()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("folders cannot be flushed there");
        using var folder = new TemporaryFolder();
        Assert.Equal([folder.Path, folder["runs"]], Flushed(() => AtomicFile.CreateFolder(folder["runs/one"])));
        Assert.Empty(Flushed(() => AtomicFile.CreateFolder(folder["runs/one"])));
        var flushed = Flushed(() => AtomicFile.Write(folder["runs/one/results.json"], stream => stream.Write("{}"u8)));
        Assert.StartsWith(folder["runs/one/results.json."], flushed[0], StringComparison.Ordinal);
        Assert.Equal([folder["runs/one"]], flushed.Skip(1));
    }

    private static List<string> Flushed(Action save)
    {
        List<string> flushed = [];
        AtomicFile.Flushed += flushed.Add;
        try
        {
            save();
            return flushed;
        }
        finally
        {
            AtomicFile.Flushed -= flushed.Add;
        }
    }
}
