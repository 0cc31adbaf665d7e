using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Evaluation;

public class CostAndCalibrationTests
{
    [Fact]
    public void Brier_and_calibration_error_are_those_worked_out_by_hand()
    {
        using var scope = NewDisposeScope();
        var tally = new CalibrationTally();
        tally.Add(tensor(new[] { 0.8, 0.2 }, [1, 2]), [0]);
        tally.Add(tensor(new[] { 0.6, 0.4, 0.9, 0.1 }, [2, 2]), [1, -1]);
        // 0.04 + 0.04; 0.36 + 0.36; 0.81 + 0.01 + 1 for the class that was never learnt.
        Assert.Equal((0.08 + 0.72 + 1.82) / 3, tally.Brier, 1e-12);
        // One sample in each of three bins: |1 − 0.8| + |0 − 0.6| + |0 − 0.9|.
        Assert.Equal((0.2 + 0.6 + 0.9) / 3, tally.Expected, 1e-12);
    }

    [Fact]
    public void Forgetting_of_values_is_in_their_unit_whichever_way_is_better()
    {
        var (rmse, r2) = (new ValueMatrix(greaterIsBetter: false), new ValueMatrix(greaterIsBetter: true));
        foreach (var row in new double[][] { [1], [2, 1], [4, 1.5, 1] }) rmse.Add(row);
        foreach (var row in new double[][] { [0.9], [0.5, 0.8], [-0.1, 0.9, 0.7] }) r2.Add(row);
        Assert.Equal(((4 - 1) + (1.5 - 1)) / 2, rmse.Forgetting, 1e-12);
        Assert.Equal(-((4 - 1) + (1.5 - 1)) / 2, rmse.BackwardTransfer, 1e-12);
        Assert.Equal(((0.9 + 0.1) + (0.8 - 0.9)) / 2, r2.Forgetting, 1e-12);
        Assert.Equal(6.5 / 3, rmse.FinalAverage, 1e-12);
    }

    [Fact]
    public void Anytime_accuracy_is_the_area_under_the_curve_over_the_samples()
    {
        var online = new OnlineAccuracy();
        online.Add(10, 0.5);
        online.Add(30, 0.7);
        online.Add(40, 0.3);
        Assert.Equal(((20 * 0.6) + (10 * 0.5)) / 30, online.Anytime, 1e-12);
        Assert.Throws<ArgumentException>(() => online.Add(40, 0.5));
    }

    [Fact]
    public void Prequential_accuracy_tests_each_piece_before_it_is_learnt()
    {
        var digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 100), Label.Numbers(0, 2));
        var stream = ExperienceStream.ClassIncremental(digits, new EvaluationSet("test", digits), [Label.Numbers(0, 2)]).Online(10, seed: 1);
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 32)), new LearnerOptions { BatchSize = 10 });
        var online = new OnlineAccuracy();
        Assert.Equal(0, online.Test(learner, stream.Experiences[0])); // nothing is known
        learner.Learn(stream.Experiences[0]);
        foreach (var piece in stream.Experiences.Skip(1))
        {
            online.Test(learner, piece);
            learner.Learn(piece);
        }
        Assert.InRange(online.Prequential, 0.7, 0.95); // 20 pieces, of which the first is lost
    }

    [Fact]
    public void Anytime_accuracy_is_measured_inside_of_groups_too_where_that_is_asked_for_also_by_a_run_that_is_stopped_and_goes_on()
    {
        var digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 20), Label.Numbers(0, 4));
        var stream = ExperienceStream.ClassIncremental(digits, new EvaluationSet("test", digits), [Label.Numbers(0, 2), Label.Numbers(2, 2)]).Online(10, 0);
        var options = new LearnerOptions { BatchSize = 10 };
        StrategyResult? Run(int? every, ExperimentCheckpoints? checkpoints = null)
        {
            using var stop = new CancellationTokenSource();
            var results = new Experiment(stream, _ => new ContinualModel(new Mlp(784, 16)), options)
            {
                AnytimeEvery = every,
                Experienced = (_, _, _) => { if (checkpoints is not null) stop.Cancel(); },
            }.Run([Strategies.Named("naive")], checkpoints: checkpoints, cancellationToken: stop.Token);
            return results.Count == 0 ? null : results[0];
        }
        var (curve, ends) = (new OnlineAccuracy(), new OnlineAccuracy());
        using (var alone = new Learner(() => new ContinualModel(new Mlp(784, 16)), options, []))
            foreach (var piece in stream.Experiences)
            {
                alone.Learn(piece);
                // Every 15 samples in pieces of ten: after 20 of the 40 of each group, and where groups end.
                if (piece.Index % 2 == 0) continue;
                var (begun, samples) = (stream.Tests.Take((piece.Index / 4) + 1), 10 * (piece.Index + 1));
                Label[] came = [.. alone.Classes.Classes.Select(known => known.Label)];
                var known = begun.Select(test => test.WithLabels([.. test.Classes.Intersect(came)])).ToArray();
                var accuracy = known.Sum(test => Evaluator.Accuracy(alone, test) * test.Count) / known.Sum(test => test.Count);
                curve.Add(samples, accuracy);
                if (samples % 40 == 0) ends.Add(samples, accuracy);
            }
        Assert.Equal(ends.Anytime, Run(null)!.Metrics["anytimeAccuracy"], 1e-12);
        Assert.Equal(curve.Anytime, Run(15)!.Metrics["anytimeAccuracy"], 1e-12);
        Assert.NotEqual(ends.Anytime, curve.Anytime, 1e-3);
        Assert.Throws<ArgumentException>(() => Run(0));

        using var folder = new TemporaryFolder();
        StrategyResult? stopped = null;
        for (var sittings = 0; stopped is null && sittings < 20; sittings++)
        {
            using var checkpoints = new ExperimentCheckpoints(folder["run"]);
            stopped = Run(15, checkpoints);
        }
        Assert.Equal(curve.Anytime, stopped!.Metrics["anytimeAccuracy"], 1e-12);
    }

    [Fact]
    public void A_run_states_parameters_multiply_adds_samples_and_times()
    {
        var digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 20), Label.Numbers(0, 4));
        var stream = ExperienceStream.ClassIncremental(digits, new EvaluationSet("test", digits), [Label.Numbers(0, 2), Label.Numbers(2, 2)]);
        var result = new Experiment(stream, _ => new ContinualModel(new Mlp(784, 16)), new LearnerOptions(), new StrategyBudget(12))
            .Run([Strategies.Named("replay")])[0];
        var cost = result.Cost!;
        Assert.Equal((784 * 16) + 16 + (16 * 4) + 4, cost.Parameters);
        Assert.Equal((784 * 16) + (16 * 4), cost.MultiplyAdds);
        Assert.Equal(12, cost.SamplesStored);
        Assert.Equal(result.MemoryBytes / 4.0, cost.BytesPerClass);
        Assert.True(cost.PeakMemoryBytes > 10_000_000 && cost.TrainSeconds > 0 && cost.PredictSeconds > 0);
        Assert.InRange(result.Metrics["brier"], 0, 2);
        Assert.InRange(result.Metrics["calibrationError"], 0, 1);
        Assert.InRange(result.Metrics["anytimeAccuracy"], 0, 1);
    }

    [Fact]
    public void An_online_run_states_what_it_predicted_before_it_learnt()
    {
        var digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 40), Label.Numbers(0, 2));
        var stream = ExperienceStream.ClassIncremental(digits, new EvaluationSet("test", digits), [Label.Numbers(0, 2)]).Online(10, 0);
        StrategyResult Run(bool prequential) => new Experiment(stream, _ => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 10 })
        {
            Prequential = prequential,
        }.Run([Strategies.Named("naive")])[0];
        var (with, without) = (Run(true), Run(false));

        var (online, alone) = (new OnlineAccuracy(), new Learner(() => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 10 }, []));
        using (alone)
            foreach (var piece in stream.Experiences)
            {
                online.Test(alone, piece);
                alone.Learn(piece);
            }
        Assert.Equal(online.Prequential, with.Metrics["prequentialAccuracy"], 12);
        Assert.False(without.Metrics.ContainsKey("prequentialAccuracy"));
        Assert.Equal(without.Accuracy, with.Accuracy); // looking ahead changes nothing
    }

    [Fact]
    public void A_domain_incremental_run_states_forward_transfer_over_an_untrained_model()
    {
        var digits = SubsetSource.Balanced(TestData.Mnist.Train, 30);
        var stream = ExperienceStream.Rotated(digits, new EvaluationSet("test", digits), [0, 10, 20]);
        var options = new LearnerOptions { Scenario = Scenario.DomainIncremental, BatchSize = 10, Epochs = 3 };
        ContinualModel Model() => new(new Mlp(784, 64));
        var result = new Experiment(stream, _ => Model(), options).Run([Strategies.Named("naive")])[0];

        using var learner = new Learner(Model, options, []);
        double[] ahead = [.. Enumerable.Range(0, 2).Select(i =>
        {
            learner.Learn(stream.Experiences[i]);
            return Evaluator.Accuracy(learner, stream.Tests[i + 1]);
        })];
        // Ten classes and an untrained head: about a tenth each; a digit turned by ten degrees is known.
        var transfer = result.Metrics["forwardTransfer"];
        Assert.InRange(ahead.Average() - transfer, 0.02, 0.3);
        Assert.InRange(transfer, 0.4, 0.95);
        Assert.All(result.Accuracy, (row, i) => Assert.Equal(i + 1, row.Length));
    }

    [Theory]
    [InlineData("lenet5 1x28", 28, 1)]
    [InlineData("resnet20", 32, 3)]
    public void Convolutions_are_counted(string backbone, int side, int channels)
    {
        using var scope = NewDisposeScope();
        var images = TensorSource.OfClasses(randint(0, 256, [4, channels, side, side], ScalarType.Byte), [0, 1, 0, 1], Label.Numbers(0, 2));
        var result = new Experiment(
            ExperienceStream.ClassIncremental(images, new EvaluationSet("test", images), [Label.Numbers(0, 2)]),
            _ => new ContinualModel(Architectures.Backbone(backbone, 1_000_000)), new LearnerOptions()).Run([Strategies.Named("naive")])[0];
        // He et al. 2016 state 41 million for ResNet-20; LeNet-5 layer by layer.
        if (backbone == "resnet20") Assert.InRange(result.Cost!.MultiplyAdds, 40_000_000, 42_000_000);
        else Assert.Equal((28 * 28 * 6 * 25) + (100 * 16 * 150) + (400 * 120) + (120 * 84) + (84 * 2), result.Cost!.MultiplyAdds);
    }

    [Theory]
    [InlineData("ewc", 100)]
    [InlineData("si", 10)]
    [InlineData("mas", 1)]
    [InlineData("rwalk", 10)]
    [InlineData("lwf", 1)]
    public void A_strength_after_n_experiences_is_lambda_times_n_to_the_growth(string name, double lambda)
    {
        const double Growth = 2;
        Assert.Throws<ArgumentException>(() => Mechanism(name, lambda, double.NaN));
        var grown = Weights(_ => Mechanism(name, lambda, Growth));
        // 0^2 does not matter, for the first experience has no past; 1, 4 and 9 are exact.
        var given = Weights(n => Mechanism(name, lambda * Math.Max(n * n, 1), 0));
        var constant = Weights(_ => Mechanism(name, lambda, 0));

        for (var n = 0; n < grown.Count; n++) Assert.Equal(given[n], grown[n]);
        Assert.Equal(constant[1], grown[1]); // 1^2 = 1
        Assert.NotEqual(constant[2], grown[2]);
        Assert.NotEqual(constant[3], grown[3]);
    }

    private static RetentionMechanism Mechanism(string name, double lambda, double growth) => name switch
    {
        "ewc" => new ElasticWeightConsolidation(new EwcOptions { Lambda = lambda, Growth = growth }),
        "si" => new SynapticIntelligence(new SiOptions { C = lambda, Growth = growth }),
        "mas" => new MemoryAwareSynapses(new MasOptions { Lambda = lambda, Growth = growth }),
        "rwalk" => new RiemannianWalk(new RWalkOptions { Lambda = lambda, Growth = growth }),
        _ => new LearningWithoutForgetting(new LwfOptions { Lambda = lambda, Growth = growth }),
    };

    // Weights after each of four experiences, the n-th from 0 learnt with its own mechanism.
    private static List<float[]> Weights(Func<int, RetentionMechanism> mechanism)
    {
        var digits = SubsetSource.WithLabels(SubsetSource.Balanced(TestData.Mnist.Train, 20), Label.Numbers(0, 8));
        var strategies = Enumerable.Range(0, 4).Select(n => new Strategy("some", "Some", "Some", _ => [mechanism(n)])).ToArray();
        var weights = new List<float[]>();
        var options = new LearnerOptions { BatchSize = 16 };
        new Experiment(
            ExperienceStream.ClassIncremental(digits, new EvaluationSet("test", digits), [.. Enumerable.Range(0, 4).Select(group => Label.Numbers(2 * group, 2))]),
            _ => new ContinualModel(new Mlp(784, 8)), options)
        {
            Variant = (position, _) => (options, strategies[position]),
            Experienced = (_, _, learner) => weights.Add(learner.Context.Arena.Values.data<float>().ToArray()),
        }.Run([strategies[0]]);
        return weights;
    }
}
