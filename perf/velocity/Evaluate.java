// Apache Velocity 1.7 over the templates and variables of benches/vtl.rs, warm: evaluations a second on one thread.
//
//   apt-get install velocity openjdk-17-jdk-headless
//   CP=/usr/share/java/velocity.jar:/usr/share/java/commons-collections3.jar:/usr/share/java/commons-lang.jar
//   java -cp $CP perf/velocity/Evaluate.java perf/velocity

import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.velocity.Template;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.runtime.RuntimeInstance;

public class Evaluate {
    static final int ROUNDS = 7;
    static final long ROUND_NANOS = 2_000_000_000L;

    public static void main(String[] args) throws Exception {
        RuntimeInstance runtime = new RuntimeInstance();
        runtime.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        runtime.init();
        VelocityContext context = new VelocityContext(variables());
        for (String name : List.of("rename", "loop", "pass")) {
            Template template = new Template();
            template.setRuntimeServices(runtime);
            template.setName(name);
            String text = Files.readString(Path.of(args[0], name + ".vtl"));
            template.setData(runtime.parse(new StringReader(text), name));
            template.initDocument();
            double best = 0;
            for (int round = 0; round < ROUNDS; round++) {
                best = Math.max(best, round(template, context));
            }
            System.out.printf("%s: %.0f evaluations a second, %.0f ns each%n", name, best, 1e9 / best);
        }
    }

    static double round(Template template, VelocityContext context) throws Exception {
        StringWriter out = new StringWriter(4096);
        long start = System.nanoTime();
        long count = 0;
        while (System.nanoTime() - start < ROUND_NANOS) {
            for (int i = 0; i < 1000; i++) {
                out.getBuffer().setLength(0);
                template.merge(context, out);
            }
            count += 1000;
        }
        return count * 1e9 / (System.nanoTime() - start);
    }

    static Map<String, Object> variables() {
        Map<String, Object> customer = new LinkedHashMap<>();
        customer.put("name", "Ada Lovelace");
        customer.put("email", "ada@example.com");
        Map<String, Object> order = new LinkedHashMap<>();
        order.put("orderId", "o-4711");
        order.put("customer", customer);
        order.put("total", 249.5);
        order.put("currency", "EUR");
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("sku", "sku-000" + i);
            item.put("qty", i);
            items.add(item);
        }
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("order", order);
        variables.put("items", items);
        variables.put("body", "{\"message\": \"" + "x".repeat(200) + "\"}");
        return variables;
    }
}
