using System.Text.Json.Nodes;
using Engram.Cli.Commands;
using Engram.Cli.Experiments;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Retention;

namespace Engram.Cli.Tests;

public class ExperimentFileTests
{
    private const string Small = """
        name: small
        data: { perClass: 12, testPerClass: 4 }
        stream: { groups: [[0, 1], [2, 3, 4]] }
        model: { backbone: mlp 784-16 }
        training: { epochs: 2, batchSize: 8, optimizer: { kind: sgd, learningRate: 0.05, momentum: 0.9 } }
        memory: 10
        strategies:
          - naive
          - name: mine
            mechanisms:
              - ewc: { lambda: 5.5, gamma: 0.9, labels: exact }
              - replay: { capacity: 7, retrieval: maximally-interfered }
        seed: 3
        """;

    [Fact]
    public void Every_key_reaches_what_it_names()
    {
        var file = Read(Small);
        Assert.Equal(("small", 10, 3L, 12), (file.Name, file.Memory, file.Seed, file.Data.PerClass));
        Assert.Equal((2, 8, 3L, Scenario.ClassIncremental), (file.Training.Epochs, file.Training.BatchSize, file.Training.Seed, file.Training.Scenario));
        Assert.Equal(new SgdOptions { LearningRate = 0.05, Momentum = 0.9 }, file.Training.Optimizer);
        Assert.Equal(["0", "1"], file.Stream.Groups![0]);
        Assert.Equal(["naive", "mine"], file.Strategies.Select(strategy => strategy.Name));
        var mechanisms = file.Strategies[1].Create(new StrategyBudget());
        Assert.Equal(["ewc", "replay"], mechanisms.Select(mechanism => mechanism.Name));
        Assert.NotSame(mechanisms[0], file.Strategies[1].Create(new StrategyBudget())[0]);
    }

    [Fact]
    public void The_template_is_a_valid_experiment_and_so_is_every_choice_that_it_names()
    {
        var file = Read(InitCommand.Template());
        Assert.Equal(["naive", "replay", "ewc-strong", "ewc+replay-small"], file.Strategies.Select(strategy => strategy.Name));
        foreach (var kind in StreamSection.Kinds.Except(["rotated", "blurry", "repetition"])) Read($"stream: {{ kind: {kind} }}\nstrategies: [naive]");
        foreach (var backbone in new[] { "mlp 784-400-400", "digits-cnn", "lenet5 1x28", "resnet20 1-channel" })
            Read($"model: {{ backbone: {backbone} }}\nstrategies: [naive]");
        foreach (var backbone in new[] { "resnet20", "resnet18-20" })
            Read($"data: {{ source: cifar-10 }}\nmodel: {{ backbone: {backbone} }}\nstrategies: [naive]");
        Read("data: { source: images, path: x, shape: [3, 32, 32] }\nmodel: { backbone: resnet20 }\nstrategies: [naive]");
        Read("evaluation: { prequential: true, metrics: [finalAverageAccuracy, forgetting, macroF1] }\nstrategies: [naive]");
        Read("stream: { validation: 0.1 }\ntraining: { schedule: { kind: cosine }, clipNorm: 1, earlyStopping: { patience: 2 } }\nstrategies: [naive]");
        Read("stream: { kind: rotated, degrees: [0, 30] }\nstrategies: [naive]");
        Read("stream: { kind: blurry, blur: 0.1, disjoint: 0.5 }\nstrategies: [naive]");
        Read("stream: { kind: repetition, classes: 4 }\nstrategies: [naive]");
    }

    [Fact]
    public void Null_gives_nothing_where_nothing_may_be_given()
    {
        var file = Read("data: { path: null, shape: ~, perClass: }\nevaluation: { metrics: null }\nstream: { groups: null }\n"
            + "training: { schedule: null, clipNorm: ~ }\nstrategies: [naive]");
        Assert.Null(file.Data.Path);
        Assert.Null(file.Stream.Groups);
        Assert.Equal("null", Read("data: { source: csv, path: \"null\" }\nstrategies: [naive]").Data.Path);
        var path = JsonNode.Parse(ExperimentSchema.Render())!["properties"]!["data"]!["properties"]!["path"]!["type"]!.AsArray();
        Assert.Contains("null", path.Select(type => (string)type!));
    }

    [Fact]
    public void Data_that_are_not_where_the_file_says_are_told_with_its_line_and_where_the_command_says_with_its_option()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["a.yaml"], "data:\n  source: mnist\n  path: nope\nstrategies: [naive]");
        var file = Terminal.Run("run", folder["a.yaml"], "--out", folder["run"]);
        Assert.Equal(ExitCode.Usage, file.Code);
        Assert.Contains("a.yaml: line 3: data.path: \"nope\" is no folder", Assert.Single(file.ErrorLines), StringComparison.Ordinal);
        var command = Terminal.Run("run", folder["a.yaml"], "--data", "nope", "--out", folder["run"]);
        Assert.StartsWith("engram: --data: \"nope\" is no folder", Assert.Single(command.ErrorLines), StringComparison.Ordinal);

        Directory.CreateDirectory(folder["half"]);
        foreach (var training in Directory.GetFiles(DataFolder.Find()!, "train-*")) File.Copy(training, folder[$"half/{Path.GetFileName(training)}"]);
        File.WriteAllText(folder["a.yaml"], $"name: a\ndata: {{ path: \"{folder["half"]}\" }}\nstrategies: [naive]");
        var half = Terminal.Run("run", folder["a.yaml"], "--out", folder["run"]);
        Assert.Equal(ExitCode.Usage, half.Code);
        var line = Assert.Single(half.ErrorLines);
        Assert.Contains("a.yaml: line 2: data: ", line, StringComparison.Ordinal);
        Assert.Contains("t10k-images-idx3-ubyte", line, StringComparison.Ordinal);
        File.WriteAllText(folder["a.yaml"], "name: a\ndata: { perClass: 10 }\nstrategies: [naive]");
        var named = Terminal.Run("run", folder["a.yaml"], "--data", folder["half"], "--out", folder["run"]);
        Assert.Equal(ExitCode.Usage, named.Code);
        Assert.Matches("^engram: --data: .*t10k-images-idx3-ubyte", Assert.Single(named.ErrorLines));
    }

    [Fact]
    public void Streams_without_sharp_boundaries_are_described_and_learnt()
    {
        long[] Samples(string stream)
        {
            using var folder = new Folder();
            File.WriteAllText(folder["a.yaml"], $"data: {{ perClass: 10, testPerClass: 2 }}\nstream: {{ {stream} }}\nmodel: {{ backbone: mlp 784-8 }}\n"
                + "memory: 20\nstrategies: [replay]");
            var run = Terminal.Run("run", folder["a.yaml"], "--threads", "1", "--out", folder["run"]);
            Assert.True(run.Code == ExitCode.Success, run.Error);
            return [.. RunResults.FromJson(File.ReadAllText(folder["run/results.json"])).Strategies[0].Costs.Select(cost => cost.Samples)];
        }
        Assert.Equal([28, 12], Samples("kind: blurry, groups: [[0, 1, 2], [3]], blur: 0.1")); // one sample of each class leaks
        Assert.Equal([20, 20, 20, 20, 20], Samples("kind: repetition, experiences: 5, classes: 4")); // every class twice, half of its samples each time
    }

    [Fact]
    public void Every_mechanism_can_be_named_alone_and_with_its_defaults_written_out()
    {
        foreach (var kind in MechanismKind.All)
        {
            using var made = kind.Create();
            Assert.Equal(kind.Name, made.Name);
            if (kind.OptionsType is { } options) Assert.NotEmpty(YamlValues.PropertiesOf(options));
        }
        Assert.Contains("\"magic\"", Assert.Throws<ArgumentException>(() => MechanismKind.Named("magic")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("strategies: [naive]\nepochs: 3", 2, "epochs: unknown", "training")]
    [InlineData("training:\n  bachSize: 3\nstrategies: [naive]", 2, "training.bachSize: unknown", "batchSize")]
    [InlineData("training:\n  epochs: 0\nstrategies: [naive]", 2, "training.epochs: 0", "1 or more")]
    [InlineData("training:\n  epochs: many\nstrategies: [naive]", 2, "training.epochs: \"many\"", "a whole number")]
    [InlineData("training:\n  optimizer: { learningRate: 1 }\nstrategies: [naive]", 2, "training.optimizer.kind: missing", "adam, sgd")]
    [InlineData("training:\n  optimizer: { kind: sgd, beta1: 1 }\nstrategies: [naive]", 2, "training.optimizer.beta1: unknown", "momentum")]
    [InlineData("strategies:\n  - magic", 2, "strategies[0]: \"magic\"", "replay")]
    [InlineData("strategies:\n  - naive\n  - naive", 3, "strategies[1]: \"naive\" is there already", "another name")]
    [InlineData("strategies:\n  - xdg", 2, "strategies[0]: \"xdg\" is not made for class-incremental", "task-incremental")]
    [InlineData("strategies:\n  - name: a\n    mechanisms:\n      - ewc: { lambda: -1 }", 4, "strategies[0].mechanisms[0].ewc.lambda: -1", "0 or more")]
    [InlineData("training:\n  epochs:\n    many\nstrategies: [naive]", 2, "training.epochs: \"many\"", "a whole number")]
    [InlineData("training:\n  optimizer:\n    kind: adam\n    learningRate: -1\nstrategies: [naive]", 4, "training.optimizer.learningRate: -1", "positive")]
    [InlineData("strategies:\n  - name: a\n    mechanisms:\n      - ewc:\n          gamma: 1\n          lambda: -1", 6, "[0].ewc.lambda: -1", "0 or more")]
    [InlineData("stream:\n  - 1\nstrategies: [naive]", 1, "stream: a list", "keys with values")]
    [InlineData("stream:\n  kind: rotated\nstrategies: [naive]", 1, "stream.degrees: missing", "angle")]
    [InlineData("stream:\n  kind: rotated\n  degrees: []\nstrategies: [naive]", 3, "stream.degrees: an empty list", "angle")]
    [InlineData("stream:\n  kind: blurry\n  blur: 0.1\n  experiences: 1\nstrategies: [naive]", 4, "stream.experiences: 1", "2 or more")]
    [InlineData("stream:\n  kind: blurry\n  blur: 0.1\n  groups: [[0, 1]]\nstrategies: [naive]", 4, "stream.groups: 1", "2 or more")]
    [InlineData("training: { epochs: 1 }\nperExperience:\n  training.epochs: [1, 0]\nstrategies: [naive]", 2, "perExperience: experience 1: training.epochs: 0", "1 or more")]
    [InlineData("data: { label: null, source: csv, path: x }\nstrategies: [naive]", 1, "data.label: \"null\"", "a word")]
    [InlineData("stream: { kind: blurry }\nstrategies: [naive]", 1, "stream.blur: missing", "0 to 1")]
    [InlineData("stream: { kind: blurry, blur: 1.5 }\nstrategies: [naive]", 1, "stream.blur: 1.5", "0 to 1")]
    [InlineData("stream: { kind: blurry, blur: 0.1, disjoint: 2 }\nstrategies: [naive]", 1, "stream.disjoint: 2", "0 to 1")]
    [InlineData("stream: { kind: repetition }\nstrategies: [naive]", 1, "stream.classes: missing", "1 or more")]
    [InlineData("stream: { kind: repetition, classes: 2, groups: [[0]] }\nstrategies: [naive]", 1, "stream.groups: given", "a key of kind class-incremental")]
    [InlineData("stream: { classes: 2 }\nstrategies: [naive]", 1, "stream.classes: given", "a key of kind repetition")]
    [InlineData("a: 1\n---\nb: 2", 3, "2 documents", "expected one")]
    [InlineData("", 1, "0 documents", "expected one")]
    [InlineData("strategies:\n  - name: a\n    mechanisms:\n      - ewc: { lamda: 1 }", 4, "ewc.lamda: unknown", "lambda")]
    [InlineData("strategies:\n  - name: a\n    mechanisms: [icarl, bic]", 2, "strategies[0]", "expected")]
    [InlineData("strategies:\n  - name: a b\n    mechanisms: []", 2, "name: \"a b\"", "letters")]
    [InlineData("strategies: []", 1, "strategies: an empty list", "one strategy")]
    [InlineData("seed: 0", 1, "strategies: missing", "a list")]
    [InlineData("stream: { kind: sideways }\nstrategies: [naive]", 1, "stream.kind: \"sideways\"", "class-incremental")]
    [InlineData("stream: { groups: [[0], []] }\nstrategies: [naive]", 1, "stream.groups: an empty group", "one class")]
    [InlineData("stream:\n  kind: permuted\n  groups: [[0, 1]]\nstrategies: [naive]", 3, "stream.groups: given, expected none with kind permuted", "class-incremental")]
    [InlineData("stream: { degrees: [0, 10] }\nstrategies: [naive]", 1, "stream.degrees: given, expected none with kind class-incremental", "rotated")]
    [InlineData("stream: { kind: rotated, degrees: [0], experiences: 3 }\nstrategies: [naive]", 1, "stream.experiences: given, expected none with kind rotated", "permuted")]
    [InlineData("stream: { kind: repetition, classes: 4, shuffle: true }\nstrategies: [naive]", 1, "stream.shuffle: given, expected none with kind repetition", "blurry")]
    [InlineData("stream:\n  experiences: 2\n  groups: [[0], [1]]\nstrategies: [naive]", 2, "stream.experiences: given beside groups", "one or the other")]
    [InlineData("stream: [1]\nstrategies: [naive]", 1, "stream: a list", "keys with values")]
    [InlineData("data: { source: emnist }\nstrategies: [naive]", 1, "data.source: \"emnist\"", "mnist")]
    [InlineData("model: { backbone: mlp 784 }\nstrategies: [naive]", 1, "model.backbone", "sizes such as mlp")]
    [InlineData("evaluation:\n  metrics:\n    - forgetting\n    - magic\nstrategies: [naive]", 4, "evaluation.metrics[1]: \"magic\"", "finalAverageAccuracy, ")]
    [InlineData("evaluation: { metrics: [brier, brier] }\nstrategies: [naive]", 1, "evaluation.metrics[1]: \"brier\" is there already", "another metric")]
    [InlineData("evaluation: { metrics: [] }\nstrategies: [naive]", 1, "evaluation.metrics: an empty list", "one metric")]
    [InlineData("evaluation: { metrics: brier }\nstrategies: [naive]", 1, "evaluation.metrics: \"brier\"", "a list")]
    [InlineData("evaluation:\n  prequential: 1\nstrategies: [naive]", 2, "evaluation.prequential: \"1\"", "true or false")]
    [InlineData("evaluation:\n  metric: [brier]\nstrategies: [naive]", 2, "evaluation.metric: unknown", "forwardTransfer, metrics")]
    [InlineData("memory: 0\nstrategies: [naive]", 1, "memory: 0", "1 or more")]
    [InlineData("name: a/../b\nstrategies: [naive]", 1, "name: \"a/../b\"", "letters")]
    [InlineData("a: [", 1, "no YAML", "")]
    [InlineData("a: &x 1\nb: *x", 1, "no YAML: ", "anchors")]
    [InlineData("a: 1\na: 2", 2, "no YAML", "")]
    [InlineData("a: [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]", 1, "nested more than", "")]
    public void What_is_wrong_is_told_with_file_line_and_key(string text, int line, string said, string expected)
    {
        var problem = Assert.ThrowsAny<UsageException>(() => Read(text));
        Assert.Equal(2, problem.Message.Split("test.yaml: line ").Length); // named once
        Assert.Contains(said, problem.Message, StringComparison.Ordinal);
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        if (!said.StartsWith("no YAML", StringComparison.Ordinal)) Assert.Contains($"line {line}:", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stream: LONG\nstrategies: [naive]", "stream: \"xxx", "xxx...\", expected keys with values")]
    [InlineData("stream: { kind: LONG }\nstrategies: [naive]", "stream.kind: \"xxx", "xxx...\", expected one of class-incremental")]
    [InlineData("data: { source: LONG }\nstrategies: [naive]", "data.source: \"xxx", "xxx...\", expected one of mnist")]
    [InlineData("name: LONG\nstrategies: [naive]", "name: \"xxx", "xxx...\", expected 1 to 60")]
    [InlineData("strategies: [LONG]", "strategies[0]: \"xxx", "xxx...\" is unknown")]
    public void A_long_value_in_the_wrong_place_is_not_shown_whole(string text, string start, string end)
    {
        var problem = Assert.ThrowsAny<UsageException>(() => Read(text.Replace("LONG", new string('x', 100_000), StringComparison.Ordinal)));
        Assert.Contains(start, problem.Message, StringComparison.Ordinal);
        Assert.Contains(end, problem.Message, StringComparison.Ordinal);
        Assert.True(problem.Message.Length < 1000, $"{problem.Message.Length} characters");
    }

    [Fact]
    public void A_long_value_is_cut_between_whole_characters()
    {
        var value = "x" + string.Concat(Enumerable.Repeat("\U0001F600", 1000)); // two chars each
        var problem = Assert.ThrowsAny<UsageException>(() => Read($"stream: {{ kind: {value} }}\nstrategies: [naive]"));
        Assert.Contains("\U0001F600...\"", problem.Message, StringComparison.Ordinal);
        value = "xx" + value;
        problem = Assert.ThrowsAny<UsageException>(() => Read($"stream: {{ kind: x{value} }}\nstrategies: [naive]"));
        Assert.Contains("\U0001F600...\"", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_knows_every_key_that_the_reader_knows()
    {
        var schema = JsonNode.Parse(ExperimentSchema.Render())!["properties"]!;
        AssertKeys(ExperimentFile.Keys, schema);
        AssertKeys(ExperimentFile.TrainingKeys, Keys("training"));
        AssertKeys(YamlValues.PropertiesOf(typeof(DataSection)).Keys, Keys("data"));
        AssertKeys(YamlValues.PropertiesOf(typeof(StreamSection)).Keys, Keys("stream"));
        AssertKeys(YamlValues.PropertiesOf(typeof(ModelSection)).Keys, Keys("model"));
        AssertKeys(YamlValues.PropertiesOf(typeof(EvaluationSection)).Keys, Keys("evaluation"));
        AssertKeys([.. YamlValues.PropertiesOf(typeof(TuneSection)).Keys, "vary"], Keys("tune"));
        var mechanisms = schema["strategies"]!["items"]!["anyOf"]![1]!["properties"]!["mechanisms"]!["items"]!["anyOf"]!.AsArray();
        Assert.Equal(1 + MechanismKind.All.Count(kind => kind.OptionsType is not null), mechanisms.Count);
        foreach (var kind in MechanismKind.All.Where(kind => kind.OptionsType is not null))
            AssertKeys(
                YamlValues.PropertiesOf(kind.OptionsType!).Keys,
                mechanisms.First(item => (string?)item!["required"]?[0] == kind.Name)!["properties"]![kind.Name]!["properties"]!);

        JsonNode Keys(string section) => schema[section]!["properties"]!;
        void AssertKeys(IEnumerable<string> read, JsonNode properties) => Assert.Equal(read.Order(), properties.AsObject().Select(pair => pair.Key).Order());
    }

    [Fact]
    public void The_template_fits_the_schema_and_mistakes_do_not()
    {
        var template = InitCommand.Template();
        Assert.Null(SchemaCheck.Problem(template));
        // With the choices that stand there as comments, as far as they go together.
        foreach (var line in new[] { "schedule: { kind: cosine }", "clipNorm: 1", "online: 10", "validation: 0.1" })
            Assert.Null(SchemaCheck.Problem(template.Replace($"# {line}", line, StringComparison.Ordinal)));
        Assert.StartsWith("training.epochs: ", SchemaCheck.Problem(template.Replace("epochs: 1 ", "epochs: one ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("training.epoch: ", SchemaCheck.Problem(template.Replace("epochs: 1 ", "epoch: 1 ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("strategies[2]", SchemaCheck.Problem(template.Replace("lambda: 5000", "lambd: 5000", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("strategies: ", SchemaCheck.Problem("memory: 5"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ kind: warm-up, steps: 5, then: { kind: cosine, minimum: 0.1 } }", true)]
    [InlineData("{ kind: warm-up, then: { kind: warm-up, then: { kind: step, milestones: [1] } } }", true)]
    [InlineData("{ kind: warm-up, then: ~ }", true)]
    [InlineData("{ kind: cosine, then: { kind: cosine } }", false)]
    [InlineData("{ kind: warm-up, then: { kind: sine } }", false)]
    [InlineData("{ kind: warm-up, then: cosine }", false)]
    public void A_schedule_in_a_schedule_is_taken_by_reader_and_schema_alike(string schedule, bool fits)
    {
        var text = $"training: {{ schedule: {schedule} }}\nstrategies: [naive]";
        Assert.Equal(fits, SchemaCheck.Problem(text) is null);
        Assert.Equal(fits, Record.Exception(() => Read(text)) is null);
    }

    [Fact]
    public void A_described_experiment_runs_is_stopped_goes_on_and_is_compared_with_another_seed()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["small.yaml"], Small);
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"phase\",\"strategy\":\"mine\"", stop);
        var host = new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, TimeProvider.System, stop.Token);
        Assert.Equal(ExitCode.Interrupted, CommandLine.Run(["run", folder["small.yaml"], "--threads", "1", "--json", "--out", folder["0"]], host));
        File.Delete(folder["small.yaml"]); // the run has its own copy

        var resumed = Terminal.Run("run", "--resume", folder["0"]);
        Assert.True(resumed.Code == ExitCode.Success, resumed.Error);
        File.WriteAllText(folder["small.yaml"], Small);
        Assert.Equal(ExitCode.Success, Terminal.Run("run", folder["small.yaml"], "--threads", "1", "--seed", "4", "--out", folder["1"]).Code);

        var results = RunResults.FromJson(File.ReadAllText(folder["0/results.json"]));
        Assert.Equal(("small", $"engram run {folder["small.yaml"]} --threads 1 --seed 3"), (results.Experiment, results.Command));
        Assert.Equal(["0, 1", "2-4"], results.Groups.Select(group => group.Name));
        var compared = Terminal.Run("compare", folder["0"], folder["1"], "--json").JsonLines[0]["comparison"]!;
        Assert.Equal("naive", (string)compared["baseline"]!);
        Assert.Equal(2, (int)compared["rows"]![1]!["difference"]!["seeds"]!);

        File.Delete(folder["0/report.html"]);
        Assert.Equal(ExitCode.Success, Terminal.Run("report", folder["0"]).Code);
        Assert.True(File.Exists(folder["0/report.html"]));
    }

    [Fact]
    public void Classes_that_the_data_do_not_have_and_wrong_combinations_of_options_are_refused()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["a.yaml"], "stream: { groups: [[0], [11]] }\nstrategies: [naive]");
        var unknown = Terminal.Run("run", folder["a.yaml"], "--out", folder["run"]);
        Assert.Equal(ExitCode.Usage, unknown.Code);
        Assert.Contains("a.yaml: line 1: stream.groups: label 11", Assert.Single(unknown.ErrorLines), StringComparison.Ordinal);
        File.WriteAllText(folder["b.yaml"], "stream: { experiences: 11 }\nstrategies: [naive]");
        Assert.Contains("expected at most the 10 classes", Terminal.Run("run", folder["b.yaml"], "--out", folder["run"]).Error, StringComparison.Ordinal);
        Assert.Contains("expected one of the two", Terminal.Run("run", folder["a.yaml"], "--resume", folder.Path).Error, StringComparison.Ordinal);
        Assert.Contains("--seed: given with --resume", Terminal.Run("run", "--resume", folder.Path, "--seed", "1").Error, StringComparison.Ordinal);
        Assert.Contains("holds no results.json", Terminal.Run("compare", folder.Path).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public void What_the_data_refuse_is_told_with_the_key_that_it_is_about()
    {
        using var folder = new Folder();
        foreach (var half in new[] { "train", "test" }) File.WriteAllText(folder[$"{half}.csv"], "a,b,label\n1,2,x\n2,1,y\n3,4,x\n4,3,y\n");
        string Refusal(string command, string text)
        {
            File.WriteAllText(folder["a.yaml"], $"name: a\n{text}\nstrategies: [naive]");
            var refused = Terminal.Run(command, folder["a.yaml"], "--out", folder["run"]);
            Assert.Equal(ExitCode.Usage, refused.Code);
            return Assert.Single(refused.ErrorLines);
        }
        const string Few = "data: { perClass: 3, testPerClass: 1 }\nmodel: { backbone: mlp 784-4 }\nmemory: 10\n";
        Assert.Contains(
            "line 5: stream.experiences: class 0 occurs 4 times", Refusal("run", Few + "stream: { kind: repetition, experiences: 20, classes: 2 }"),
            StringComparison.Ordinal);
        Assert.Contains(
            "line 5: stream.experiences: 2 experiences of 4 classes, expected room for 10 classes",
            Refusal("run", Few + "stream: { kind: repetition, experiences: 2, classes: 4 }"), StringComparison.Ordinal);
        Assert.Contains(
            "line 4: stream.kind: samples of shape [2]",
            Refusal("run", $"data: {{ source: csv, path: \"{folder.Path}\" }}\nmodel: {{ backbone: mlp 2-3 }}\nstream: {{ kind: rotated, degrees: [0, 30] }}"),
            StringComparison.Ordinal);

        const string Single = "data: { perClass: 1 }\nmodel: { backbone: mlp 784-4 }\nmemory: 10\n";
        const string Tune = "\ntune: { validation: 0.3, vary: { memory: [10, 20] } }";
        Assert.Contains("line 6: tune.validation: 0.3 of the 2 samples of", Refusal("tune", $"{Single}stream: {{ experiences: 5 }}{Tune}"), StringComparison.Ordinal);
        Assert.Contains(
            "line 5: stream.validation: 0.2 of the 2 samples of", Refusal("tune", $"{Single}stream: {{ experiences: 5, validation: 0.2 }}{Tune}"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Init_writes_an_experiment_and_a_schema_and_overwrites_nothing()
    {
        using var folder = new Folder();
        Assert.Equal(ExitCode.Success, Terminal.Run("init", folder["my.yaml"], "--schema").Code);
        Assert.StartsWith("# yaml-language-server: $schema=experiment.schema.json\n", File.ReadAllText(folder["my.yaml"]), StringComparison.Ordinal);
        Assert.NotNull(JsonNode.Parse(File.ReadAllText(folder[InitCommand.SchemaName])));
        Assert.Contains($"engram run \"{folder["my own.yaml"]}\"", Terminal.Run("init", folder["my own.yaml"]).Out, StringComparison.Ordinal);
        var nameless = Terminal.Run("init", "");
        Assert.Equal((ExitCode.Usage, "engram: FILE: an empty name, expected a new file"), (nameless.Code, nameless.Error.Trim().Split('\n')[0].Trim()));
        var again = Terminal.Run("init", folder["my.yaml"]);
        Assert.Equal(ExitCode.Usage, again.Code);
        Assert.Contains("is there already", Assert.Single(again.ErrorLines), StringComparison.Ordinal);
    }

    internal static ExperimentFile Read(string text)
    {
        using var folder = new Folder();
        File.WriteAllText(folder["test.yaml"], text);
        return ExperimentFile.Read(folder["test.yaml"]);
    }
}
