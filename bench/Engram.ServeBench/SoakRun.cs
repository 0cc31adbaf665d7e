using Engram.Client;

namespace Engram.ServeBench;

/// <summary>Many predictions and feedbacks, with learning in between: the memory of the service stays flat.</summary>
internal static class SoakRun
{
    private const int Parts = 20;
    private const double MostGrowth = 1.1;

    public static async Task<bool> RunAsync(int predictions, int feedbacks)
    {
        var folder = Directory.CreateTempSubdirectory("engram-soak-").FullName;
        try
        {
            using var service = await ServiceProcess.StartAsync(folder);
            using var client = service.Client();
            var learner = await client.CreateLearnerAsync(new LearnerSpecification
            {
                Name = "digits",
                Input = DigitRequests.Schema,
                Model = new ModelSpecification { Kind = "network" },
                Learning = new LearningPolicy { EverySamples = 2000 },
                Retention = new RetentionPolicy { Versions = 5 },
            });
            await DigitRequests.TeachAsync(learner, digit => digit < 9, 2000);
            await learner.LearnAsync();
            var (asks, tells) = (DigitRequests.Predictions(service.Address, "digits", 1000), DigitRequests.Feedback(service.Address, "digits", 20_000));
            var (failed, memory) = (0L, new List<double>());
            Console.WriteLine("| predictions | feedbacks | predictions/s | resident MB | on disk MB | version |\n|---|---|---|---|---|---|");
            for (var part = 1; part <= Parts; part++)
            {
                var asked = await Hammer.TimesAsync(service.Address, asks, 64, predictions / Parts);
                var told = await Hammer.TimesAsync(service.Address, tells, 16, feedbacks / Parts);
                failed += asked.Failed + told.Failed;
                memory.Add(service.ResidentMegabytes);
                var now = await learner.GetAsync();
                Console.WriteLine($"| {(long)predictions * part / Parts} | {(long)feedbacks * part / Parts} | {asked.PerSecond:0} | {memory[^1]:0} | {MegabytesOf(Path.Combine(folder, "learners", "digits")):0} | {now.Champion} |");
            }
            // The first third fills caches and the buffer; after it nothing may grow.
            var (before, after) = (memory[(Parts / 3)..(2 * Parts / 3)].Max(), memory[(2 * Parts / 3)..].Max());
            Console.WriteLine($"{failed} failed; most in the second third {before:0} MB, in the last {after:0} MB");
            return failed == 0 && after <= before * MostGrowth;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double MegabytesOf(string folder)
    {
        while (true)
            try
            {
                return new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) / 1e6;
            }
            catch (Exception gone) when (gone is DirectoryNotFoundException or FileNotFoundException)
            {
                // A version was let go meanwhile.
            }
    }
}
