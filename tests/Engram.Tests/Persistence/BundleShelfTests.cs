using Engram.Analytic;
using Engram.Models;
using Engram.Persistence;
using Engram.Tests.Analytic;

namespace Engram.Tests.Persistence;

/// <summary>Many bundles beside each other: told apart, sharing parts, deleted.</summary>
public class BundleShelfTests
{
    [Fact]
    public void One_call_tells_the_kind_of_a_bundle_and_what_it_knows()
    {
        using var folder = new TemporaryFolder();
        var time = new DateTimeOffset(2026, 3, 1, 14, 5, 9, TimeSpan.FromHours(1));
        var info = new BundleInfo { Data = "0-4", Saved = time, History = [new LearntPart("0-4", time, 0.9, 0.8)] };
        using var trained = LearnerCases.New("replay");
        trained.Teach(LearnerCases.Digits.Experiences[0]);
        Bundle.Save(trained, folder["trained"], info);
        using var analytic = AnalyticFixtures.Taught("slda");
        AnalyticBundle.Save(analytic, folder["analytic"], info);

        var (one, other) = (Bundle.Describe(folder["trained"]), Bundle.Describe(folder["analytic"]));

        Assert.Equal((BundleKind.Learner, BundleKind.Analytic), (one.Kind, other.Kind));
        Assert.Equal((one.Id, other.Id), (one.LearnerManifest!.Id, other.AnalyticManifest!.Id));
        Assert.Equal(["0", "1", "2", "3", "4"], one.Classes.Select(c => c.Label));
        Assert.Equal(analytic.Classes.Classes.Select(key => key.Label.Name), other.Classes.Select(c => c.Label));
        Assert.Equal([1L, 28, 28], one.InputShape!);
        Assert.Equal([1L, 2, 3], other.InputShape!);
        Assert.Equal([0, 1], other.Learnt);
        foreach (var lineage in new[] { one.Lineage, other.Lineage })
        {
            Assert.Equal(("0-4", time), (lineage.Data, lineage.Saved));
            Assert.Equal([new LearntPart("0-4", time, 0.9, 0.8)], lineage.History);
        }
        Assert.Null(Bundle.Describe(AnalyticFixtures.PathOf(1, "slda")).InputShape);
        File.WriteAllText(Path.Combine(folder["trained"], "manifest.json"), """{"format":"photo"}""");
        Assert.Contains("format photo, expected engram-bundle", Assert.Throws<InvalidDataException>(() => Bundle.Describe(folder["trained"])).Message);
        Assert.Throws<FileNotFoundException>(() => Bundle.Describe(folder["nothing"]));
    }

    [Fact]
    public void A_new_version_of_an_analytic_bundle_shares_its_extractor_and_names_its_parent()
    {
        using var folder = new TemporaryFolder();
        using var learner = AnalyticFixtures.Taught("recursive-ridge");
        var parent = AnalyticBundle.Save(learner, folder["1"]);
        learner.Learn(AnalyticFixtures.Experience(2));
        var child = AnalyticBundle.Save(learner, folder["2"], new BundleInfo { Parent = folder["1"] });

        Assert.Equal(parent.Id, child.Lineage!.Parent);
        var part = child.Parts.Single(part => part.Name == "extractor");
        Assert.Contains(part, parent.Parts);
        if (OperatingSystem.IsWindows()) return;
        // One file under two names: what is appended to one shows in the other.
        File.AppendAllText(Path.Combine(folder["1"], "parts", $"{part.Sha256}.safetensors"), "x");
        Assert.Contains("part extractor", Assert.Throws<InvalidDataException>(() => AnalyticBundle.Verify(folder["2"])).Message);
    }

    [Fact]
    public void A_deleted_bundle_leaves_those_that_share_its_parts_whole()
    {
        using var folder = new TemporaryFolder();
        using var learner = LearnerCases.New(
            "naive", () => new ContinualModel(new Mlp(784, 24)) { FreezeBackbone = Freeze.FromStart });
        for (var version = 0; version < 3; version++)
        {
            learner.Teach(LearnerCases.Digits.Experiences[version]);
            Bundle.Save(learner, folder[$"{version}"], new BundleInfo { Parent = version == 0 ? null : folder[$"{version - 1}"] });
        }

        Bundle.Delete(folder["0"]);
        Bundle.Delete(folder["1"]);
        Bundle.Delete(folder["1"]); // there is none any more

        Assert.Equal(["2"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
        Bundle.Verify(folder["2"]);
        using var model = Bundle.LoadModel(folder["2"]);
        Assert.Equal(10, model.Classes.Count);
    }

    [Fact]
    public void A_deletion_that_was_killed_is_finished_by_the_next_and_a_damaged_bundle_can_be_deleted()
    {
        using var folder = new TemporaryFolder();
        using var learner = AnalyticFixtures.Taught("ncm");
        AnalyticBundle.Save(learner, folder["a"]);
        AnalyticBundle.Save(learner, folder["b"]);
        Directory.Move(folder["a"], folder[".a.abcdefgh.ijk.deleting"]);
        File.WriteAllText(Path.Combine(folder["b"], "manifest.json"), "torn");

        Bundle.Delete(folder["a"]);
        Bundle.Delete(folder["b"]);

        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void What_is_no_bundle_or_only_a_link_to_one_is_not_deleted()
    {
        using var folder = new TemporaryFolder();
        using var learner = AnalyticFixtures.Taught("ncm");
        foreach (var name in new[] { "bundle", "with-photo" }) AnalyticBundle.Save(learner, folder[name]);
        Directory.CreateDirectory(folder["photos"]);
        foreach (var name in new[] { "photos", "with-photo" }) File.WriteAllText(Path.Combine(folder[name], "cat.jpg"), "meow");
        File.WriteAllText(folder["file"], "");
        Directory.CreateSymbolicLink(folder["link"], folder["bundle"]);

        foreach (var name in new[] { "photos", "with-photo", "file", "link" })
            Assert.Contains("expected", Assert.Throws<IOException>(() => Bundle.Delete(folder[name])).Message);

        Assert.Equal(5, Directory.GetFileSystemEntries(folder.Path).Length);
        AnalyticBundle.Verify(folder["bundle"]);
        // A link inside is removed, not followed.
        File.WriteAllText(folder["outside"], "stays");
        File.CreateSymbolicLink(Path.Combine(folder["bundle"], "parts", "x.safetensors"), folder["outside"]);
        File.Delete(folder["link"]);
        Bundle.Delete(folder["bundle"]);
        Assert.Equal("stays", File.ReadAllText(folder["outside"]));
    }
}
