using System.Text.Json.Nodes;
using Engram.Analytic;
using Engram.Tests.Persistence;
using TorchSharp;

namespace Engram.Tests.Analytic;

/// <summary>Analytic bundles whose author wishes us ill: right seal and hashes, and sizes and names that reach too far.</summary>
public class HostileAnalyticTests
{
    public static TheoryData<string, string> Changes => new()
    {
        { "fecam", """{"features":2147483647,"extractorOptions":{"inputs":2147483647}}""" },
        { "fecam", """{"features":100000,"extractorOptions":{"inputs":100000}}""" },
        { "fecam", """{"features":-1}""" },
        { "ncm", """{"features":3000000,"extractorOptions":{"Grid":1000}}""" },
        { "ncm", """{"extractorOptions":{"Grid":2147483647}}""" },
        { "ncm", """{"extractorOptions":{"Filters":1000000000}}""" },
        { "slda", """{"features":100000}""" },
        { "slda", """{"extractorOptions":{"activation":"7"}}""" },
        { "slda", """{"options":{"prior":"7"}}""" },
        { "ridge", """{"options":{"balance":"7"}}""" },
        { "ridge", """{"options":{"balance":"1"}}""" },
        { "ridge", """{"extractorOptions":{"architecture":"resnet18-64"}}""" },
        { "ridge", """{"features":1000,"extractorOptions":{"architecture":"mlp 1000-1000"}}""" },
        { "recursive-ridge", """{"features":100000}""" },
        { "ncm", """{"options":{"blockSize":2147483647}}""" },
        { "ncm", """{"options":{"blockSize":0}}""" },
        { "ncm", """{"values":{"cursor":[-1,0]}}""" },
        { "ncm", """{"values":{"cursor":[5,-1]}}""" },
        { "ncm", """{"values":{"cursor":[0,1]}}""" },
        { "ncm", """{"values":{"learnt":[-1]}}""" },
        { "ncm", """{"values":{"learnt":[0,0]}}""" },
        { "ncm", """{"values":{"inputShape":[2147483647,2147483647]}}""" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void It_is_refused_and_nothing_is_built_that_the_file_has_no_numbers_for(string name, string change)
    {
        using var folder = new TemporaryFolder();
        var source = AnalyticFixtures.PathOf(AnalyticBundle.FormatVersion, name);
        Directory.CreateDirectory(folder["bundle/parts"]);
        foreach (var file in Directory.GetFiles(Path.Combine(source, "parts")))
            File.Copy(file, Path.Combine(folder["bundle/parts"], Path.GetFileName(file)));
        int Refused(string changed)
        {
            SealedManifest.Change(source, folder["bundle"], manifest => SealedManifest.Merge(manifest.AsObject(), JsonNode.Parse(changed)!.AsObject()));
            var statistics = DisposeScopeManager.Statistics.TensorStatistics;
            var before = statistics.CreatedInScopeCount + statistics.CreatedOutsideScopeCount;
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<InvalidDataException>(() => AnalyticBundle.Load(folder["bundle"]));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 4_000_000);
            return (int)(statistics.CreatedInScopeCount + statistics.CreatedOutsideScopeCount - before);
        }

        // Statistics of the right sizes may be taken, and empty ones made, before another is found wrong; a network makes dozens.
        Assert.InRange(Refused(change), 0, Refused("""{"learner":"none"}""") + 20);
    }
}
